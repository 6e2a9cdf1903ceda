"""Tell: mails made and handed over; knows no ledger, for what is sent when is decided elsewhere.

incident_mail  the mail about incidents       smtp_mailer   messages handed over by SMTP
night_mail     the mail about labels alone    smtp_answers  what a server's answer means
night_note     what a night changed, in short wording       words and harmless text
chart          the picture inside a mail      mime          a message as the bytes that go out
templates      the HTML
cap_mail       that no more are sent today    review_mail  what a week or a month came to
heartbeat      signs of life for outside      markdown     a text as chats read it
apprise_channel  chats, pagers and webhooks   alertmanager  open incidents as alerts of its API
"""
