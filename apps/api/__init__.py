"""The HTTP API: one table of endpoints, `table.ENDPOINTS`, made from typed functions that ask what the views ask.

`registering` puts them into the page's queue, so that gradio_client, curl and JavaScript reach them.
"""
