"""Files that people bring: opposition lists, objections, consents, call histories.

    files      bytes on disk (plain or gzip, any usual encoding) -> lines
    rows       lines -> rows with their line numbers, whatever a spreadsheet made of them
    instants   text -> dates and aware instants
    numbers    text -> E.164 digits, quick on long files
    people     what the configuration says of the professionals that files name
    report     what went in, what was known, what was wrong
    tables     rows -> the ledger, in short transactions
    lists, attempts, objections, consents    one kind of file each
    contacts   contact files, read to be written back with more columns; number_column: which column

A wrong row is told with its line and left out; a wrong file is `ImportRefused`.
"""
