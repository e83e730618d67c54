"""Routing: which words of a dial string lead out of the PBX, and to what number.

Pure: text in, values out. Nothing here knows whether a number may be called, or how it is read.

    trunks.py         the trunks of the configuration; where a destination leads
      dial_form.py      their templates: what stands around the number
      naming.py         whether free text may name one
    dial_string.py    a destination as the channel drivers read it
      sip_uri.py        the user of a SIP URI as PJSIP reads it
"""
