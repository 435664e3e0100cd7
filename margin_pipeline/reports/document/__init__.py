"""Documents for people: one content, written as HTML and as PDF.

Belongs here: the content model, drawings and the two writers. Not here: which figures a report shows (`sections`).
"""
