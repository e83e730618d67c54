"""The gate: gathers the facts, asks the rules, reserves the attempt, records the outcome, answers.

rulebook   the configuration and the policies, compiled for the call's path
reading    the question made into a matter that can be judged, or refused, or exempt
decision   one question within one transaction of the ledger: judged, recorded, answered
gate       the same for a running bridge: asynchronous, never without an answer
recording  what a callee said, from any door; callee: who is meant
screening  many questions at once, dry: the verdict of each as if it were asked alone
"""
