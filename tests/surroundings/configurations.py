"""What each mail server is told: whose mail it takes, how large, whether only after a first refusal or over TLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LARGEST = 50_000_000


@dataclass(frozen=True)
class Rules:
    """The largest mail taken, whether a recipient is refused at first, and a key with its certificate for STARTTLS.

    `says_size` is whether the largest size is said in the answer to EHLO, which OpenSMTPD always does; with a
    certificate TLS is required.
    """

    largest: int = LARGEST
    says_size: bool = True
    greylists: bool = False
    certificate: str = ""


@dataclass(frozen=True)
class Configuration:
    """How a server is run: its command, its files below /etc, its folders below /var, and those mail waits in."""

    command: Sequence[str]
    files: Callable[[int, Rules], Mapping[str, str]]
    owners: Mapping[str, str]
    queues: Sequence[str]


def _lines(*lines: str | bool) -> str:
    return "".join(f"{line}\n" for line in lines if line)


_POSTFIX = """
compatibility_level = 3.6
myhostname = mail.example.com
mydestination = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = no
mynetworks =
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /var/log/postfix.log
alias_maps =
local_recipient_maps = unix:passwd.byname
home_mailbox = Maildir/
mailbox_size_limit = 0
"""
_SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
local unix - n n - - local
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
grey unix - n n - 0 spawn user=nobody argv=/etc/grey
"""
_POLICY = """#!/bin/sh
while read -r line; do
    if [ -z "$line" ]; then
        if mkdir "/var/grey/$who" 2>/dev/null; then echo action=450 4.7.1 Greylisted; else echo action=DUNNO; fi
        echo
    fi
    case "$line" in recipient=*) who=${line#*=};; esac
done
"""


def _postfix(port: int, rules: Rules) -> dict[str, str]:
    main = _POSTFIX + _lines(
        f"message_size_limit = {rules.largest}",
        not rules.says_size and "smtpd_discard_ehlo_keywords = size",
        rules.greylists and "smtpd_recipient_restrictions = check_policy_service unix:private/grey",
        rules.certificate and "smtpd_tls_security_level = encrypt",
        rules.certificate and "smtpd_tls_chain_files = /etc/server.pem",
    )
    files = {"postfix/main.cf": main, "postfix/master.cf": _SERVICES.format(port=port), "grey": _POLICY}
    return files | {"server.pem": rules.certificate}


_EXIM = """
primary_hostname = mail.example.com
domainlist ours = example.com
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
keep_environment =
rfc1413_query_timeout = 0s
message_size_limit = {said}
smtputf8_advertise_hosts =
tls_advertise_hosts = {tls}
tls_certificate = /etc/server.pem
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
mail:
  deny condition = {tls_needed}
       !encrypted = *
       message = 530 5.7.0 Must issue a STARTTLS command first
  accept
rcpt:
  require message = relay not permitted
          domains = +ours
  require verify = recipient
  defer condition = {greylists}
        local_parts = ann : bob
        condition = ${{if exists{{/var/grey/$local_part_data}}{{no}}{{yes}}}}
        condition = ${{run{{/usr/bin/touch /var/grey/$local_part_data}}{{yes}}{{yes}}}}
        message = 450 4.7.1 Greylisted
  accept
data:
  deny condition = ${{if >{{$message_size}}{{{largest}}}}}
       message = 552 5.3.4 Message too big
  accept

begin routers
people:
  driver = accept
  domains = +ours
  check_local_user
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
  delivery_date_add
  return_path_add

begin retry
* * F,1h,1m
"""


def _exim(port: int, rules: Rules) -> dict[str, str]:
    config = _EXIM.format(
        port=port,
        said=rules.largest if rules.says_size else 0,
        largest=rules.largest,
        tls="*" if rules.certificate else "",
        tls_needed="yes" if rules.certificate else "no",
        greylists="yes" if rules.greylists else "no",
    )
    return {"exim4/exim4.conf": config, "server.pem": rules.certificate}


_FILTER = """#!/bin/sh
while read -r line; do
    [ "$line" = "config|ready" ] && printf 'register|filter|smtp-in|rcpt-to\\nregister|ready\\n'
    case "$line" in filter\\|*) ;; *) continue;; esac
    IFS='|' read -r _ _ _ _ _ session token who <<END
$line
END
    answer=proceed
    mkdir "/var/grey/$who" 2>/dev/null && answer="reject|450 4.7.1 Greylisted"
    echo "filter-result|$session|$token|$answer"
done
"""


def _opensmtpd(port: int, rules: Rules) -> dict[str, str]:
    tls = "tls-require pki mail" if rules.certificate else ""
    grey = 'filter "grey"' if rules.greylists else ""
    config = _lines(
        bool(tls) and 'pki mail cert "/etc/server.pem"',
        bool(tls) and 'pki mail key "/etc/server.pem"',
        bool(grey) and 'filter "grey" proc-exec "/etc/grey"',
        f'smtp max-message-size "{rules.largest}"',
        f"listen on 127.0.0.1 port {port} {tls} hostname mail.example.com {grey}",
        'action "in" maildir',
        'match for domain "example.com" action "in"',
    )
    return {"smtpd.conf": config, "grey": _FILTER, "server.pem": rules.certificate}


_POSTFIX_QUEUES = [
    f"spool/postfix/{name}" for name in ("incoming", "active", "deferred", "maildrop", "hold", "corrupt")
]
_POSTFIX_OTHERS = [f"spool/postfix/{name}" for name in ("bounce", "defer", "private", "public", "saved", "trace")]

CONFIGURATIONS = {
    "postfix": Configuration(
        ("/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix"),
        _postfix,
        dict.fromkeys([*_POSTFIX_QUEUES, *_POSTFIX_OTHERS, "lib/postfix"], "postfix")
        | {"spool/postfix/pid": "root", "log": "root", "grey": "nobody"},
        _POSTFIX_QUEUES,
    ),
    "exim": Configuration(
        ("/usr/sbin/exim4", "-bdf"),
        _exim,
        dict.fromkeys(["spool/exim4", "log/exim4", "grey"], "Debian-exim"),
        ["spool/exim4/input"],
    ),
    "opensmtpd": Configuration(
        ("/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"),
        _opensmtpd,
        {"lib/opensmtpd/empty": "root", "spool": "root", "grey": "opensmtpd"},
        [f"spool/smtpd/{name}" for name in ("queue", "incoming", "temporary")],
    ),
}
