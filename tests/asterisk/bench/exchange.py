"""What a call centre's Asterisk has beside a dialplan: agents, queues, ARI, transfers, aliases.

Text only, like `configuration`, for `Pbx.start`. The contexts are what is found in the field: lines
that forgot to ask, an inbound route, transfers into the outside, a dialer's own.
"""

from __future__ import annotations

from bench.configuration import AMI_SECRET, Places

ARI_USER = "bench"
QUEUE = "outside"  # whose members the tests name

_MODULES = (
    "app_queue app_confbridge app_page app_stasis app_transfer res_clialiases "
    "res_http_websocket res_websocket_client res_stasis res_stasis_answer res_stasis_playback "
    "res_stasis_recording res_stasis_snoop res_stasis_device_state "
    "res_ari_model res_ari res_ari_applications res_ari_asterisk res_ari_bridges "
    "res_ari_channels res_ari_device_states res_ari_endpoints res_ari_events "
    "res_ari_playbacks res_ari_recordings res_ari_sounds"
)
MODULES = tuple(_MODULES.split())

FEATURES = """
[general]
transferdigittimeout = 1
atxferdropcall = yes
[featuremap]
blindxfer = #1
atxfer = *2
[applicationmap]
objection => *66,self,Gosub,"dialwarden-feature,objection,1"
"""

DIALPLAN = """
; Somebody who answers and says nothing.
[quiet]
exten => s,1,Answer()
 same => n,Wait(60)

; The line that forgot to ask. A second one with a mobile's number in the caller's own hands.
[forgot]
exten => _[+0-9].,1,Dial(PJSIP/${EXTEN}@carrier,30)
 same => n,Hangup()

[forgot-variable]
exten => s,1,Dial(PJSIP/${TARGET}@carrier,30)
 same => n,Hangup()

; Asks for one number and dials another.
[asks-for-another]
exten => _[+0-9].,1,Gosub(dialwarden,check,1(${ASKED},energy-paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" != "ALLOW"]?no)
 same => n,Dial(PJSIP/${EXTEN}@carrier,30)
 same => n(no),Hangup(21)

[originates]
exten => _[+0-9].,1,Originate(PJSIP/${EXTEN}@carrier,app,Wait,60)
 same => n,Hangup()

[originates-dialplan]
exten => _[+0-9].,1,Originate(Local/${EXTEN}@forgot/n,app,Wait,60)
 same => n,Hangup()

[waits-for-agi]
exten => s,1,Answer()
 same => n,AGI(agi:async)
 same => n,Wait(60)

[queue]
exten => s,1,Answer()
 same => n,Queue(outside,,,,20)
 same => n,Hangup()

; An agent in conversation, who may transfer, and into the outside at that.
[talk]
exten => s,1,Set(__TRANSFER_CONTEXT=forgot)
 same => n,Dial(Local/s@quiet/n,20,T)
 same => n,Wait(60)

; VICIdial: what Admin > Carriers > Dialplan Entry becomes, with the question between call_log and
; Dial; where answered calls go; and what tells VICIdial how a call ended.
[default]
exten => _9X.,1,AGI(agi://127.0.0.1:${CALL_LOG_PORT}/call_log)
 same => n,Gosub(dialwarden,check,1(+${EXTEN:1},energy-paris))
 same => n,GotoIf($["${DIALWARDEN_VERDICT}" = "ALLOW"]?dial)
 same => n,Set(DIALSTATUS=DNC)
 same => n,Hangup(21)
 same => n(dial),Dial(PJSIP/${DIALWARDEN_NUMBER}@carrier,,tTo)
 same => n,Hangup()
exten => 8368,1,UserEvent(BenchRouted)
 same => n,Wait(60)
exten => h,1,AGI(agi://127.0.0.1:${CALL_LOG_PORT}/call_log--HVcauses--PRI-----NODEBUG-----${HANGUPCAUSE}-----${DIALSTATUS}-----${DIALEDTIME}-----${ANSWEREDTIME})

; Calls that come in: to somebody who answers, who does not, to the agent, and to a number that is
; forwarded outside. Also where a callee's 302 is followed to.
[bench-from-trunk]
exten => 100,1,Goto(quiet,s,1)
exten => 200,1,Ringing()
 same => n,Wait(60)
exten => 300,1,Dial(PJSIP/agent,30)
 same => n,Hangup()
exten => _X.,1,Goto(forgot,${EXTEN},1)
"""


def files(places: Places) -> dict[str, str]:
    """More configuration files, name to text."""
    return {
        "http.conf": (
            f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={places.http_port}\n"
            "prefix=\nsessionlimit=100\n"
        ),
        "ari.conf": (
            f"[general]\nenabled=yes\n[{ARI_USER}]\ntype=user\nread_only=no\n"
            f"password={AMI_SECRET}\n"
        ),
        "queues.conf": queues(),
        "confbridge.conf": (
            "[general]\n[default_bridge]\ntype=bridge\n[default_user]\ntype=user\n"
            "[default_menu]\ntype=menu\n"
        ),
        "cli_aliases.conf": (  # the first as Debian ships it, the second an admin's own
            "[general]\ntemplate=friendly\ntemplate=own\n[friendly]\noriginate=channel originate\n"
            "[own]\nring up=channel originate\n"
        ),
    }


def queues(*members: str) -> str:
    """The text of queues.conf, with these members in its one queue."""
    return "".join(
        [
            f"[general]\n[{QUEUE}]\nstrategy=ringall\ntimeout=20\nretry=1\nringinuse=yes\n"
            "joinempty=yes\nannounce-frequency=0\n",
            *(f"member => {interface}\n" for interface in members),
        ]
    )


def phones(agent_port: int, redirecting_port: int) -> str:
    """More of pjsip.conf: an agent's phone, and a trunk whose 302s PJSIP follows by itself."""
    common = (
        "transport=transport\ncontext=bench-from-trunk\ndisallow=all\nallow=alaw\n"
        "direct_media=no\nmedia_address=127.0.0.1\nbind_rtp_to_media_address=yes\n"
    )
    return (
        f"\n[agent]\ntype=endpoint\naors=agent\n{common}"
        f"[agent]\ntype=aor\ncontact=sip:agent@127.0.0.1:{agent_port}\n"
        f"[redirecting]\ntype=endpoint\naors=redirecting\nredirect_method=uri_pjsip\n{common}"
        f"[redirecting]\ntype=aor\ncontact=sip:127.0.0.1:{redirecting_port}\n"
    )
