"""What a person may ask. Each action is checked, done in one transaction with a row in the audit, and names the person.

What cannot be done raises ``UserError`` with a sentence that says what to do instead. Executions that an action queues are
rung after commit. Nothing here prints or asks; the console and the command line do that.
"""
