"""Sections of reports, a module each: from rows of tables to content.

Belongs here: which figures stand in which section, and what is said where there are none. Not here: reading, layout, computing.
"""
