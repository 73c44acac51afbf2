"""What a job did: figures, pictures, a page, a table in the terminal.

Start with `summary`.
"""
