"""What people look at: pictures and the summary in the terminal.

Belongs here: showing numbers that stand in tables. Not here: computing a number that does not.
"""
