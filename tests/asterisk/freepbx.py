"""The dialplan of FreePBX 16 and 17 and of IssabelPBX, where an outbound call runs through it.

Written after the generators: `core_get_config` and etc/extensions.conf of FreePBX/core 16.0.68.30
and 17.0.18.4, and of IssabelPBX 2.12.0.4, with a site's settings filled in as they fill them in:
five routes, two trunks over PJSIP, a custom one and one of DUNDi. Contexts that a call to the
outside passes are here but for what needs a product's own AGI scripts; the others are left out.

The three differ in how they call what all of them name a macro, and in the lines that say for whom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OWN_NUMBER = "+33123456789"  # the trunks' outbound caller id
AGENT = "2001"
EMERGENCY_ROUTE, OUTSIDE_ROUTE, CUSTOM_ROUTE, SALES_ROUTE = 1, 2, 3, 4

# What a line begins with that not all of them have.
_FREEPBX_16, _FREEPBX_17, _ISSABEL = "16", "17", "issabel"


@dataclass(frozen=True, slots=True)
class Product:
    """One of the three; `flavour` is the manifest that installs dialwarden on it."""

    name: str
    flavour: str
    override: str
    gosub: bool


FREEPBX_16 = Product(_FREEPBX_16, "freepbx/install-16.toml", "freepbx", gosub=False)
FREEPBX_17 = Product(_FREEPBX_17, "freepbx/install-17.toml", "freepbx", gosub=True)
ISSABEL = Product(_ISSABEL, "issabel/install.toml", "issabelpbx", gosub=False)

# Stock: the admin's files are read first, and of two lines for one priority the first counts.
_EXTENSIONS = """
[general]
static=yes
writeprotect=yes
#include extensions_override_{override}.conf
#include extensions_additional.conf
#include extensions_custom.conf

[from-internal]
include => from-internal-noxfer
include => from-internal-xfer
exten => h,1,CALL(hangupcall)

[from-internal-noxfer]
include => from-internal-noxfer-custom
include => from-internal-noxfer-additional
exten => h,1,CALL(hangupcall)

[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional
exten => h,1,CALL(hangupcall)

[macro-dialout-trunk-predial-hook]
exten => s,1,EXIT

[macro-dialout-dundi-predial-hook]
exten => s,1,EXIT
"""

_ADDITIONAL = """
[globals]
DIAL_OPTIONS = HhTtr
TRUNK_OPTIONS = T
TRUNK_RING_TIMER = 300
!issabel:OUT_1 = PJSIP
!issabel:OUT_1_SUFFIX = @carrier
!issabel:OUT_2 = PJSIP
!issabel:OUT_2_SUFFIX = @carrier-2
issabel:OUT_1 = PJSIP/carrier
issabel:OUT_2 = PJSIP/carrier-2
OUT_3 = AMP:PJSIP/$OUTNUM$@carrier-2
OUTCID_1 = +33123456789
OUTCID_2 = +33123456789
OUTCID_3 = +33123456789
OUTCID_4 = +33123456789
OUTMAXCHANS_1 =
OUTMAXCHANS_2 =
OUTMAXCHANS_3 =
OUTPREFIX_1 =
OUTPREFIX_2 =
OUTPREFIX_3 =
OUTPREFIX_4 =
OUTDISABLE_1 = off
OUTDISABLE_2 = off
OUTDISABLE_3 = off
OUTKEEPCID_1 = off
OUTKEEPCID_2 = off
OUTKEEPCID_3 = off
FORCEDOUTCID_1 =
FORCEDOUTCID_2 =
FORCEDOUTCID_3 =
PREFIX_TRUNK_1 =
PREFIX_TRUNK_2 = 1
PREFIX_TRUNK_3 =

; The second carrier wants E.164: the trunk's dialed number manipulation.
[sub-flp-2]
include => sub-flp-2-custom
exten => s,1,ExecIf($[${REGEX("^0[0-9#*\\\\$]+$" ${DIAL_NUMBER})} = 1]?Set(TARGET_FLP_2=+33${DIAL_NUMBER:1}))
exten => s,n,GotoIf($[${LEN(${TARGET_FLP_2})} != 0]?match)
exten => s,n,Return()
exten => s,n(match),Set(DIAL_NUMBER=${TARGET_FLP_2})
exten => s,n,Return()

[from-internal-additional]
include => from-internal-additional-custom
include => outbound-allroutes

[outbound-allroutes]
include => outbound-allroutes-custom
include => outrt-1 ; emergency
include => outrt-3 ; by the custom trunk
include => outrt-4 ; sales
include => outrt-5 ; by DUNDi
include => outrt-2 ; outside
exten => foo,1,Noop(bar)

[outrt-1] ; emergency
include => outrt-1-custom
ROUTE(112,1,Set(EMERGENCYROUTE=YES),1)
ROUTE(911,1,Set(EMERGENCYROUTE=YES),1)
ROUTE(116000,1,Set(EMERGENCYROUTE=YES),1)
ROUTE(_08XXXXXXXX,1,Set(EMERGENCYROUTE=YES),1)

[outrt-2] ; outside
include => outrt-2-custom
ROUTE(_0.,2,Noop(),1 2)

[outrt-3] ; by the custom trunk
include => outrt-3-custom
ROUTE(_**0.,3,Noop(),3,:2)

[outrt-4] ; sales
include => outrt-4-custom
ROUTE(_90.,4,Noop(),1,:1)

[outrt-5] ; by DUNDi
include => outrt-5-custom
exten => _*70.,1,CALL(user-callerid,LIMIT,EXTERNAL)
exten => _*70.,n,CALL(dialout-dundi,4,${EXTEN:2},,off)
exten => _*70.,n,CALL(outisbusy)

[macro-user-callerid]
include => macro-user-callerid-custom
exten => s,1,Set(TOUCH_MONITOR=${UNIQUEID})
exten => s,n,Set(AMPUSER=${IF($["${AMPUSER}" = ""]?${CALLERID(number)}:${AMPUSER})})
exten => s,n,GotoIf($["${CUT(CHANNEL,@,2):5:5}"="queue" | ${LEN(${AMPUSERCIDNAME})}]?report)
exten => s,n,ExecIf($["${REALCALLERIDNUM:1:2}" = ""]?Set(REALCALLERIDNUM=${CALLERID(number)}))
exten => s,n,Set(AMPUSER=${DB(DEVICE/${REALCALLERIDNUM}/user)})
exten => s,n,GotoIf($["${AMPUSER}" = "none"]?limit)
exten => s,n,Set(AMPUSERCIDNAME=${DB(AMPUSER/${AMPUSER}/cidname)})
exten => s,n,GotoIf($["${AMPUSERCIDNAME:1:2}" = ""]?report)
exten => s,n,Set(AMPUSERCID=${IF($["${ARG2}" != "EXTERNAL" & "${DB_EXISTS(AMPUSER/${AMPUSER}/cidnum)}" = "1"]?${DB_RESULT}:${AMPUSER})})
exten => s,n,Set(__DIAL_OPTIONS=${IF($["${DB_EXISTS(AMPUSER/${AMPUSER}/dialopts)}" = "1"]?${DB_RESULT}:${DIAL_OPTIONS})})
exten => s,n,Set(CALLERID(all)="${AMPUSERCIDNAME}" <${AMPUSERCID}>)
exten => s,n(report),Noop(user-callerid)
exten => s,n,GotoIf($[ "${ARG1}" = "SKIPTTL" | "${ARG1}" = "LIMIT" ]?continue)
exten => s,n(limit),Congestion(20)
exten => s,n(continue),Set(CALLERID(number)=${CALLERID(number):0:40})
exten => s,n,Set(CALLERID(name)=${CALLERID(name):0:40})
exten => s,n,Set(CDR(cnum)=${CALLERID(num)})
17:exten => s,n(return),Return()
exten => h,1,CALL(hangupcall)

[macro-outbound-callerid]
include => macro-outbound-callerid-custom
exten => s,1,ExecIf($["${REALCALLERIDNUM:1:2}" = ""]?Set(REALCALLERIDNUM=${CALLERID(number)}))
exten => s,n(start),GotoIf($[ $[${LEN(${REALCALLERIDNUM})} = 0] | $["${KEEPCID}" != "TRUE"] | $["${OUTKEEPCID_${ARG1}}" = "on"] ]?normcid)
exten => s,n,Set(USEROUTCID=${CALLERID(name)} <${REALCALLERIDNUM}>)
exten => s,n,GotoIf($["${DB(AMPUSER/${REALCALLERIDNUM}/device)}" = "" & "${DB(DEVICE/${REALCALLERIDNUM}/user)}" = ""]?bypass)
exten => s,n(normcid),Set(USEROUTCID=${DB(AMPUSER/${AMPUSER}/outboundcid)})
exten => s,n(bypass),Set(EMERGENCYCID=${DB(DEVICE/${REALCALLERIDNUM}/emergency_cid)})
exten => s,n,Set(TRUNKOUTCID=${OUTCID_${ARG1}})
exten => s,n,GotoIf($["${EMERGENCYROUTE:1:2}" = "" | "${EMERGENCYCID:1:2}" = ""]?trunkcid)
exten => s,n,Set(CALLERID(all)=${EMERGENCYCID})
exten => s,n(exit),EXIT
exten => s,n(trunkcid),ExecIf($[${LEN(${TRUNKOUTCID})} != 0]?Set(CALLERID(all)=${TRUNKOUTCID}))
exten => s,n(usercid),ExecIf($[${LEN(${USEROUTCID})} != 0]?Set(CALLERID(all)=${USEROUTCID}))
exten => s,n,ExecIf($[${LEN(${TRUNKCIDOVERRIDE})} != 0 | ${LEN(${FORCEDOUTCID_${ARG1}})} != 0]?Set(CALLERID(all)=${IF($[${LEN(${FORCEDOUTCID_${ARG1}})}=0]?${TRUNKCIDOVERRIDE}:${FORCEDOUTCID_${ARG1}})}))
exten => s,n(hidecid),ExecIf($["${CALLERID(name)}"="hidden"]?Set(CALLERID(name-pres)=prohib_passed_screen))
exten => s,n,ExecIf($["${CALLERID(name)}"="hidden"]?Set(CALLERID(num-pres)=prohib_passed_screen))
exten => s,n,Set(CDR(outbound_cnum)=${CALLERID(num)})
17:exten => s,n,Return()

[macro-dialout-trunk]
include => macro-dialout-trunk-custom
exten => s,1,Set(DIAL_TRUNK=${ARG1})
exten => s,n,ExecIf($["${DIRECTION}" = "INBOUND"]?Set(DIAL_OPTIONS=${STRREPLACE(DIAL_OPTIONS,T)}))
exten => s,n,GotoIf($["x${OUTDISABLE_${DIAL_TRUNK}}" = "xon"]?disabletrunk,1)
exten => s,n,Set(DIAL_NUMBER=${ARG2})
exten => s,n,Set(DIAL_TRUNK_OPTIONS=${DIAL_OPTIONS})
exten => s,n,Set(OUTBOUND_GROUP=OUT_${DIAL_TRUNK})
exten => s,n,Set(DIAL_TRUNK_OPTIONS=${IF($["${DB_EXISTS(TRUNK/${DIAL_TRUNK}/dialopts)}" = "1"]?${DB_RESULT}:${TRUNK_OPTIONS})})
exten => s,n,GotoIf($["${OUTMAXCHANS_${DIAL_TRUNK}}" = ""]?nomax)
exten => s,n,GotoIf($[ ${GROUP_COUNT(OUT_${DIAL_TRUNK})} >= ${OUTMAXCHANS_${DIAL_TRUNK}} ]?chanfull)
exten => s,n(nomax),GotoIf($["${INTRACOMPANYROUTE}" = "YES"]?skipoutcid)
exten => s,n,CALL(outbound-callerid,${DIAL_TRUNK})
exten => s,n(skipoutcid),GosubIf($["${PREFIX_TRUNK_${DIAL_TRUNK}}" != ""]?sub-flp-${DIAL_TRUNK},s,1())
exten => s,n,Set(OUTNUM=${OUTPREFIX_${DIAL_TRUNK}}${DIAL_NUMBER})
exten => s,n,Set(custom=${CUT(OUT_${DIAL_TRUNK},:,1)})
exten => s,n(gocall),CALL(dialout-trunk-predial-hook)
exten => s,n,GotoIf($["${PREDIAL_HOOK_RET}" = "BYPASS"]?bypass,1)
exten => s,n,GotoIf($["${custom}" = "AMP"]?customtrunk)
exten => s,n,ExecIf($["${DIRECTION}" = "INBOUND"]?Set(DIAL_TRUNK_OPTIONS=${STRREPLACE(DIAL_TRUNK_OPTIONS,T)}))
!issabel:exten => s,n,Set(HASH(__SIPHEADERS,Alert-Info)=unset)
16:exten => s,n,Dial(${OUT_${DIAL_TRUNK}}/${OUTNUM}${OUT_${DIAL_TRUNK}_SUFFIX},${TRUNK_RING_TIMER},${DIAL_TRUNK_OPTIONS}b(func-apply-sipheaders^s^1,(${DIAL_TRUNK})))
17:exten => s,n,Gosub(trunk-dial-with-exten,${DIAL_NUMBER},1())
issabel:exten => s,n,Set(DIALSTR=${OUT_${DIAL_TRUNK}}/${OUTNUM})
issabel:exten => s,n,GosubIf($["${DIALSTR:0:5}" = "PJSIP"]?pjsipdial,1())
issabel:exten => s,n,Dial(${DIALSTR},${TRUNK_RING_TIMER},${DIAL_TRUNK_OPTIONS})
exten => s,n,Noop(Dial failed for some reason with DIALSTATUS = ${DIALSTATUS} and HANGUPCAUSE = ${HANGUPCAUSE})
exten => s,n,GotoIf($["${ARG4}" = "on"]?continue,1:s-${DIALSTATUS},1)
exten => s,n(customtrunk),Set(pre_num=${CUT(OUT_${DIAL_TRUNK},$,1)})
exten => s,n,Set(the_num=${CUT(OUT_${DIAL_TRUNK},$,2)})
exten => s,n,Set(post_num=${CUT(OUT_${DIAL_TRUNK},$,3)})
exten => s,n,GotoIf($["${the_num}" = "OUTNUM"]?outnum:skipoutnum)
exten => s,n(outnum),Set(the_num=${OUTNUM})
exten => s,n(skipoutnum),Dial(${pre_num:4}${the_num}${post_num},${TRUNK_RING_TIMER},${DIAL_TRUNK_OPTIONS})
exten => s,n,Noop(Dial failed for some reason with DIALSTATUS = ${DIALSTATUS} and HANGUPCAUSE = ${HANGUPCAUSE})
exten => s,n,GotoIf($["${ARG4}" = "on"]?continue,1:s-${DIALSTATUS},1)
exten => s,n(chanfull),Noop(max channels used up)
issabel:exten => pjsipdial,1,Set(PJ=${CUT(DIALSTR,/,2)})
issabel:exten => pjsipdial,n,Set(DIALSTR=PJSIP/${OUTNUM}@${PJ})
issabel:exten => pjsipdial,n,ExecIf($["${THISDIAL}" = ""]?Set(THISDIAL=PJSIP/${PJ}))
issabel:exten => pjsipdial,n,Return()
exten => s-BUSY,1,Noop(Dial failed due to trunk reporting BUSY - giving up)
exten => s-BUSY,n,Playtones(busy)
exten => s-BUSY,n,Busy(20)
exten => s-ANSWER,1,Noop(Call successfully answered - Hanging up now)
exten => s-ANSWER,n,CALL(hangupcall)
exten => s-NOANSWER,1,Noop(Dial failed due to trunk reporting NOANSWER - giving up)
exten => s-NOANSWER,n,Progress()
exten => s-NOANSWER,n,Playback(number-not-answering,noanswer)
exten => s-NOANSWER,n,Congestion(20)
exten => _s-.,1,Set(RC=${IF($[${ISNULL(${HANGUPCAUSE})}]?0:${HANGUPCAUSE})})
exten => _s-.,n,Goto(${RC},1)
exten => 17,1,Goto(s-BUSY,1)
exten => 18,1,Goto(s-NOANSWER,1)
exten => _X,1,Goto(continue,1)
exten => _X.,1,Goto(continue,1)
exten => continue,1(noreport),Noop(TRUNK Dial failed due to ${DIALSTATUS} HANGUPCAUSE: ${HANGUPCAUSE} - failing through to other trunks)
exten => continue,n,ExecIf($["${AMPUSER}"!="" ]?Set(CALLERID(number)=${AMPUSER}))
17:exten => continue,n,Return()
exten => disabletrunk,1,Noop(TRUNK: ${OUT_${DIAL_TRUNK}} DISABLED - falling through to next trunk)
exten => bypass,1,Noop(TRUNK: ${OUT_${DIAL_TRUNK}} BYPASSING because dialout-trunk-predial-hook)
exten => h,1,CALL(hangupcall)

; As far as the hook; behind it macro-dundi-4 switches to the mapping of dundi.conf.
[macro-dialout-dundi]
include => macro-dialout-dundi-custom
exten => s,1,Set(DIAL_TRUNK=${ARG1})
exten => s,n,Set(DIAL_NUMBER=${ARG2})
exten => s,n,CALL(outbound-callerid,${DIAL_TRUNK})
exten => s,n,Set(OUTNUM=${OUTPREFIX_${DIAL_TRUNK}}${DIAL_NUMBER})
exten => s,n(gocall),CALL(dialout-dundi-predial-hook)
exten => s,n,GotoIf($["${PREDIAL_HOOK_RET}" = "BYPASS"]?bypass,1)
exten => s,n,CALL(dundi-${DIAL_TRUNK},${OUTNUM})
exten => bypass,1,Noop(TRUNK: ${OUT_${DIAL_TRUNK}} BYPASSING because dialout-dundi-predial-hook)
exten => h,1,CALL(hangupcall)

[macro-dundi-4]
exten => s,1,Dial(PJSIP/${ARG1}@carrier-2,${TRUNK_RING_TIMER},${TRUNK_OPTIONS})

17:[trunk-dial-with-exten]
17:include => trunk-dial-with-exten-custom
17:exten => _X,1,Dial(${OUT_${DIAL_TRUNK}}/${OUTNUM}${OUT_${DIAL_TRUNK}_SUFFIX},${TRUNK_RING_TIMER},${DIAL_TRUNK_OPTIONS}b(func-apply-sipheaders^s^1,(${DIAL_TRUNK})))
17:exten => _X,n,Return()
17:exten => _[+-X].,1,Dial(${OUT_${DIAL_TRUNK}}/${OUTNUM}${OUT_${DIAL_TRUNK}_SUFFIX},${TRUNK_RING_TIMER},${DIAL_TRUNK_OPTIONS}b(func-apply-sipheaders^s^1,(${DIAL_TRUNK})))
17:exten => _[+-X].,n,Return()

!issabel:[func-apply-sipheaders]
!issabel:include => func-apply-sipheaders-custom
!issabel:exten => s,1,Set(TECH=${CUT(CHANNEL,/,1)})
!issabel:exten => s,n,Set(SIPHEADERKEYS=${HASHKEYS(SIPHEADERS)})
!issabel:exten => s,n,While($["${SET(sipkey=${SHIFT(SIPHEADERKEYS)})}" != ""])
!issabel:exten => s,n,Set(sipheader=${HASH(SIPHEADERS,${sipkey})})
!issabel:exten => s,n,ExecIf($["${sipheader}" = "unset" & "${TECH}" = "PJSIP"]?Set(PJSIP_HEADER(remove,${sipkey})=))
!issabel:exten => s,n,ExecIf($["${TECH}" = "PJSIP" & "${sipheader}" != "unset"]?Set(PJSIP_HEADER(add,${sipkey})=${sipheader}))
!issabel:exten => s,n,EndWhile
!issabel:exten => s,n,Return()

; A trunk chosen as the destination of an inbound route: no hook of any name is in it.
[ext-trunk]
include => ext-trunk-custom
exten => 1,1,Set(TDIAL_STRING=PJSIP)
exten => 1,n,Set(TDIAL_SUFFIX=@carrier)
exten => 1,n,Set(DIAL_TRUNK=1)
exten => 1,n,Goto(ext-trunk,tdial,1)
exten => tdial,1,Set(OUTBOUND_GROUP=OUT_${DIAL_TRUNK})
exten => tdial,n(nomax),Set(DIAL_NUMBER=${FROM_DID})
exten => tdial,n,Set(OUTNUM=${OUTPREFIX_${DIAL_TRUNK}}${DIAL_NUMBER})
exten => tdial,n,Dial(${TDIAL_STRING}/${OUTNUM}${TDIAL_SUFFIX},${TRUNK_RING_TIMER},${TRUNK_OPTIONS})
exten => tdial,n(hangit),Hangup()

[macro-outisbusy]
include => macro-outisbusy-custom
exten => s,1,Playback(all-circuits-busy-now&please-try-call-later)

[macro-hangupcall]
include => macro-hangupcall-custom
exten => s,1(start),GotoIf($["${USE_CONFIRMATION}"="" | "${RINGGROUP_INDEX}"="" | "${CHANNEL}"!="${UNIQCHAN}"]?theend)
exten => s,n(delrgi),Noop(Deleting: RG/${RINGGROUP_INDEX}/${CHANNEL})
exten => s,n(theend),ExecIf($["${ONETOUCH_RECFILE}"!="" & "${CDR(recordingfile)}"=""]?Set(CDR(recordingfile)=${ONETOUCH_RECFILE}))
exten => s,n(hangup),Hangup()
exten => s,n,EXIT
"""  # noqa: E501

_WANTED = re.compile(r"(!?)(16|17|issabel):(.*)")
_CALL = re.compile(r"CALL\(([a-z]+-?[^,)]*)(?:,(.*?))?\)$")
_ROUTE = re.compile(r"ROUTE\(([^,]+),(\d),(.+),([\d ]+?)(?:,(:\d))?\)$")


def configuration(product: Product) -> dict[str, str]:
    """The files of Asterisk's folder that the product has made, name to text."""
    return {
        "extensions.conf": _filled(_EXTENSIONS.replace("{override}", product.override), product),
        "extensions_additional.conf": _filled(_ADDITIONAL, product),
        f"extensions_override_{product.override}.conf": "",
        "extensions_custom.conf": "; of the admin's own\n",
    }


def _filled(text: str, product: Product) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        if found := _WANTED.match(line):
            if (product.name == found[2]) is bool(found[1]):
                continue
            line = found[3]
        lines.extend(_route(found, product) if (found := _ROUTE.match(line)) else [line])
    return "\n".join(_called(line, product) for line in lines) + "\n"


def _called(line: str, product: Product) -> str:
    """A line with `CALL` and `EXIT` as this product's generator writes them."""
    if product.gosub:
        return _CALL.sub(r"Gosub(macro-\1,s,1(\2))", line).replace("EXIT", "Return()")
    return _CALL.sub(r"Macro(\1,\2)", line).replace("EXIT", "MacroExit()")


def _route(found: re.Match[str], product: Product) -> list[str]:
    """`ROUTE(pattern,id,what is marked,trunks[,offset])`: a dial pattern of an outbound route."""
    pattern, route, marked, trunks, offset = found.groups(default="")
    named = [] if product is ISSABEL else [f"Set(_ROUTEID={route})", f"Set(_ROUTENAME=r {route})"]
    said = [
        "CALL(user-callerid,LIMIT,EXTERNAL)",
        *named,
        marked,
        "Set(_NODEST=)",
        *(f"CALL(dialout-trunk,{trunk},${{EXTEN{offset}}},,off)" for trunk in trunks.split()),
        "CALL(outisbusy)",
    ]
    return [
        f"exten => {pattern},{'n' if number else '1'},{line}" for number, line in enumerate(said)
    ]
