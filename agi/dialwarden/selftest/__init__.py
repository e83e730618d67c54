"""The proof that calls are refused when dialwarden fails: each plug is pulled, on a scratch port.

`plugs` names the ways to fail, `bad_peer` and `scratch_bridge` are what fails, `scratch_asterisk`
asks it as the dialplan does, `played` where there is no Asterisk, `children` ends what was started,
and `trials` puts them together.
Nothing of the running Asterisk, of the running bridge or of its ledger is touched.
"""
