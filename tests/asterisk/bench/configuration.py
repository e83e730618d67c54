"""The configuration files of the bench's Asterisk: what it loads, where it listens, its contexts.

Only text is made here. Whatever the shipped dialplan needs is loaded by name, so that a module it
needs and does not say shows up as a failing call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

AMI_USER = "bench"
AMI_SECRET = "bench-secret"
# Who else may log in, with the same secret: dialers, and the bridge's own link.
DIALER, VICIDIAL, DIALWARDEN = "dialer", "vicidial", "dialwarden"
_EVERYTHING = ("all", "all")
_AMI_RIGHTS = {
    AMI_USER: _EVERYTHING,
    DIALER: _EVERYTHING,
    VICIDIAL: (
        "system,call,log,verbose,command,agent,user",
        "system,call,log,verbose,command,agent,user,originate",
    ),
    DIALWARDEN: ("system,call,user", "system,call,reporting,command"),
}

_MODULES = (
    "pbx_config pbx_spool res_clioriginate res_speech res_agi "
    "app_dial app_exec app_originate app_playback app_senddtmf app_stack app_userevent "
    "app_verbose "
    "func_callerid func_channel func_cut func_dialplan func_global func_groupcount "
    "func_hangupcause func_logic func_math func_md5 func_strings func_timeout func_uri func_env "
    "bridge_simple bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features "
    "bridge_builtin_interval_features "
    "res_timing_timerfd res_musiconhold codec_alaw codec_ulaw codec_a_mu codec_gsm format_pcm "
    "format_wav format_gsm res_rtp_asterisk "
    "res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject chan_pjsip res_pjsip "
    "res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id "
    "res_pjsip_dtmf_info res_pjsip_rfc3326 res_pjsip_endpoint_identifier_ip "
    "res_pjsip_endpoint_identifier_user res_pjsip_refer res_pjsip_nat "
    "res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest "
    "res_pjsip_dlg_options res_pjsip_header_funcs "
)

_CONTEXTS = """
; Runs one Gosub, given as text in BENCH_GOSUB, says so, and keeps the channel up.
[bench-gosub]
exten => s,1,ExecIf($[${LEN(${BENCH_TIMEOUT})} > 0]?Set(TIMEOUT(absolute)=${BENCH_TIMEOUT}))
 same => n,Gosub(${BENCH_GOSUB})
 same => n,UserEvent(BenchReturned)
 same => n,Wait(60)
exten => T,1,UserEvent(BenchTimeout)
 same => n,Wait(60)
exten => h,1,UserEvent(BenchHangup)

[bench-said]
exten => _[+0-9(].,1,Gosub(dialwarden,objection,1(${EXTEN},bench-campaign))
 same => n,UserEvent(BenchReturned)
 same => n,Wait(60)

; The same with the extension itself as the number, which is what an agent's telephone does.
[bench-exten]
exten => _[+0-9(].,1,Gosub(dialwarden,check,1(${EXTEN},bench-campaign))
 same => n,UserEvent(BenchReturned)
 same => n,Wait(60)
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Directories and ports as Asterisk sees them."""

    directory: str
    ami_port: int
    sip_port: int
    http_port: int = 0


def configuration_files(
    places: Places,
    *,
    shipped: str,
    dialplan: str,
    trunks: Mapping[str, int],
    features: str = "",
    pjsip: str = "",
    modules: Iterable[str] = (),
) -> dict[str, str]:
    """Every file of the configuration directory, name to text.

    `shipped` is the dialplan under test, `dialplan`, `features` and `pjsip` are more of the test's
    own, `trunks` PJSIP endpoints and the UDP port each of them leads to.
    """
    return {
        "asterisk.conf": _asterisk(places),
        "modules.conf": "[modules]\nautoload=no\n"
        + "".join(f"load={name}.so\n" for name in [*_MODULES.split(), *modules]),
        "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error,verbose(4)\n",
        "manager.conf": _manager(places.ami_port),
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=29999\nicesupport=no\n",
        "musiconhold.conf": "[default]\nmode=files\ndirectory=moh\n",
        "features.conf": features,
        "pjsip.conf": _pjsip(places.sip_port, trunks) + pjsip,
        "extensions.conf": (
            f"[general]\nstatic=yes\nwriteprotect=yes\n{_CONTEXTS}\n{dialplan}\n"
            "#include extensions_dialwarden.conf\n"
        ),
        "extensions_dialwarden.conf": shipped,
    }


def _asterisk(places: Places) -> str:
    names = {
        "astetcdir": "etc",
        "astvarlibdir": "lib",
        "astdbdir": "lib",
        "astcachedir": "cache",
        "astspooldir": "spool",
        "astrundir": "run",
        "astlogdir": "log",
    }
    lines = [f"{key} => {places.directory}/{name}" for key, name in names.items()]
    return "\n".join(
        ["[directories]", *lines, "[options]", "nocolor=yes", "verbose=4", "hideconnect=yes", ""]
    )


def _manager(port: int) -> str:
    users = "".join(
        f"[{user}]\nsecret={AMI_SECRET}\nread={read}\nwrite={write}\nwritetimeout=5000\n"
        for user, (read, write) in _AMI_RIGHTS.items()
    )
    return f"[general]\nenabled=yes\nwebenabled=no\nbindaddr=127.0.0.1\nport={port}\n{users}"


def _pjsip(port: int, trunks: Mapping[str, int]) -> str:
    sections = [f"[transport]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{port}\n"]
    for name, trunk_port in trunks.items():
        sections.append(
            f"[{name}]\ntype=endpoint\ntransport=transport\naors={name}\ncontext=bench-from-trunk\n"
            f"disallow=all\nallow=alaw\ndirect_media=no\nmedia_address=127.0.0.1\nbind_rtp_to_media_address=yes\n"
            f"[{name}]\ntype=aor\ncontact=sip:127.0.0.1:{trunk_port}\n"
        )
    return "\n".join(sections)
