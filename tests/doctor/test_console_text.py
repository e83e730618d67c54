"""What Asterisk 16.28 and 22.10.1 print, as values; each text was printed by one of them."""

from __future__ import annotations

import pytest

from dialwarden.doctor import console_text as text
from dialwarden.doctor.snapshot import AriUser, Endpoint, Manager

SETTINGS = """
Global Settings:
----------------
  Manager (AMI):             Yes            
  Web Manager (AMI/HTTP):    {web}             
  TCP Bindaddress:           {tcp}
  HTTP Timeout (seconds):    60             
  TLS Enable:                {tls}             
  TLS Bindaddress:           {secure}       
  TLS Certfile:              asterisk.pem   
"""  # noqa: W291  as Asterisk prints it
USERS = """
username
--------
bench
cron job
-------------------
2 manager users configured.
"""
USER = """
          username: cron
            secret: <Set>
               ACL: yes
         read perm: system,call
        write perm: call,originate
"""
PJSIP = """
 Endpoint:  <Endpoint/CID.....................................>  <State.....>  <Channels.>
    I/OAuth:  <AuthId/UserName...........................................................>
        Aor:  <Aor............................................>  <MaxContact>
      Contact:  <Aor/ContactUri..........................> <Hash....> <Status> <RTT(ms)..>
   Identify:  <Identify/Endpoint.........................................................>
==========================================================================================

 Endpoint:  out                                                  Not in use    0 of inf
    OutAuth:  phone1/phone1
        Aor:  out                                                0
      Contact:  out/sip:host.example:5060                  a40700424d NonQual        -nan

 Endpoint:  phone1/100                                           Unavailable   0 of inf
     InAuth:  phone1/phone1
        Aor:  phone1                                             2
      Contact:  phone1/sip:phone1@10.0.0.7:5060            b40700424d Avail         1.234
  Transport:  transport                 udp      0      0  127.0.0.1:16224

 Endpoint:  carrier                                              Not in use    0 of inf
        Aor:  carrier                                            1
   Identify:  carrier/carrier
        Match: 192.0.2.1/32

 Endpoint:  2001                                                 Not in use    0 of inf
        Aor:  2001                                               0
      Contact:  2001/sip:2001@10.0.0.7:5060                a40700424d NonQual        -nan

 Endpoint:  4930                                                 Not in use    0 of inf
        Aor:  4930                                               0
      Contact:  4930/sip:account@192.0.2.7                 a40700424d NonQual        -nan


Objects found: 5
"""
PARAMETERS = """
 ParameterName                      : ParameterValue
 ===================================================
 allow_transfer                     : true
 context                            : own
 redirect_method                    : uri_pjsip
 outbound_auth                      : 
"""  # noqa: W291
IAX = """Name/Username    Host                (S)
iaxcarrier       127.0.0.1                                (S)  255.255.255.255    4569
iaxphone/me      (null)                                   (D)  (null)             (null)
2 iax2 peers [0 online, 0 offline, 2 unmonitored]
"""
SIP = """Name/username             Host                                    Dyn Forcerport Comedia
sipcarrier                127.0.0.1                                   Auto (No)  No
sipphone/sipphone         (Unspecified)                            D  Auto (No)  No
2 sip peers [Monitored: 0 online, 0 offline Unmonitored: 1 online, 1 offline]
"""
TYPES = """Type             Description                              Devicestate   Presencestate
-------------    -------------                            ------------- -------------
PJSIP            PJSIP Channel Driver                     yes           no            yes
IAX2             Inter Asterisk eXchange Driver (Ver 2)   yes           no            yes
Local            Local Proxy Channel Driver               yes           no            yes
----------
3 channel drivers registered.
"""
FOLDERS = """
* Directories
  Configuration file:          /etc/asterisk/asterisk.conf
  Configuration directory:     /etc/asterisk
  Spool directory:             /var/spool/asterisk
"""


@pytest.mark.parametrize(
    ("web", "tcp", "tls", "secure", "read"),
    [
        ("No", "127.0.0.1:5038", "No", "Disabled", Manager(False, "127.0.0.1:5038", "")),
        ("Yes", "0.0.0.0:5038", "Yes", "[::]:5039", Manager(True, "0.0.0.0:5038", "[::]:5039")),
        ("No", "Disabled", "No", "0.0.0.0:5039", Manager(False, "", "")),
    ],
)
def test_the_manager_interface(web: str, tcp: str, tls: str, secure: str, read: Manager) -> None:
    said = SETTINGS.format(web=web, tcp=tcp, tls=tls, secure=secure)
    assert text.manager_of(said) == read


def test_ami_users() -> None:
    assert text.users_of(USERS) == ("bench", "cron job")
    assert text.users_of("") == ()
    cron = text.user_of("cron", USER)
    assert (cron.read, cron.write) == ({"system", "call"}, {"call", "originate"})
    assert cron.has_acl
    assert text.user_of("nobody", "There is no user called nobody").write == frozenset()


def test_pjsip_endpoints_and_why_one_looks_like_a_way_out() -> None:
    assert text.pjsip_of(PJSIP) == (
        Endpoint("PJSIP/out", "it logs in at the far end and its contact is fixed"),
        Endpoint("PJSIP/phone1"),
        Endpoint("PJSIP/carrier", "it is known by its address"),
        Endpoint("PJSIP/2001"),  # a telephone that does not register
        Endpoint("PJSIP/4930", "its contact is fixed"),
    )
    told = text.parameters_of(PARAMETERS)
    assert (told["redirect_method"], told["allow_transfer"]) == ("uri_pjsip", "true")
    assert told["outbound_auth"] == ""


def test_peers_of_the_older_drivers() -> None:
    assert text.iax_of(IAX) == (
        Endpoint("IAX2/iaxcarrier", "its address is fixed"), Endpoint("IAX2/iaxphone"),
    )  # fmt: skip
    assert text.sip_of(SIP) == (
        Endpoint("SIP/sipcarrier", "its address is fixed"), Endpoint("SIP/sipphone"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        "r/o?  Username\n-----  --------\nNo    dash\nYes   ro\n",  # 16
        "r/o?  ACL?  Username\n----  ----  --------\nNo    Yes   dash\nYes   No    ro\n",  # 22
    ],
)
def test_ari_users(said: str) -> None:
    assert text.ari_users_of(said) == (AriUser("dash", False), AriUser("ro", True))


def test_the_rest() -> None:
    assert text.technologies_of(TYPES) == {"PJSIP", "IAX2", "LOCAL"}
    assert text.directory_of(FOLDERS, "Spool") == "/var/spool/asterisk"
    assert text.directory_of(FOLDERS, "Configuration") == "/etc/asterisk"
    assert text.directory_of("", "Spool") == ""
    assert text.version_of("Asterisk 22.10.1+dfsg built by nobody") == "22.10.1+dfsg"
    assert text.http_runs("Server Enabled and Bound to 127.0.0.1:8088")
    assert not text.http_runs("Server Disabled")
    running = "pbx_spool.so        Outgoing Spool Support    0     Running     core"
    assert text.is_running("pbx_spool", running)
    assert not text.is_running("pbx_spool", "0 modules loaded")
    assert text.is_unknown("No such command 'ari show users' (type 'core show help')")


def test_the_self_test_is_told_by_its_token() -> None:
    said = "   DIALWARDEN_SELFTEST=12345678 REFUSE number: 0 is none\n    -- 1 variable(s)\n"
    assert text.selftest_of("12345678", said) == "REFUSE number: 0 is none"
    assert text.selftest_of("87654321", said) == ""


def test_global_variables() -> None:
    said = "   OUT_1=PJSIP\n   OUT_1_SUFFIX=@carrier\n   EMPTY=\n   A=b=c\n\n    -- 4 variable(s)\n"
    assert text.variables_of(said) == {
        "OUT_1": "PJSIP", "OUT_1_SUFFIX": "@carrier", "EMPTY": "", "A": "b=c",
    }  # fmt: skip
