; Channel binding, symbolically: what somebody in between two TLS connections can do who holds the server's own TLS key.
;
; Cryptography is perfect and terms are finite. Three connections: N, of the site to the attacker, whom it takes for the
; server as the pin holds; F, of the attacker to the server; D, of the site to the server, which nobody hears. Each has an
; exporter of its own (RFC 9266). Two devices: A, of the site, and E, the attacker's. The site proves its device, uses its
; link and its session over N and over D; the attacker hears all of N, keeps it, changes it, and sends what it knows over F.
; Each (query …) asks for a state that must not be reachable; a control must be.
;
;   session    the server opens no session of A over F
;   request    the server serves nothing under A's session over F
;   relay      the server takes no enrolment under the site's link over F
;   theft      the server enrols no device E under the site's link
;
; The owner's token is proven as a session is: "request" is its property too.
;
; Defined by the runner: LEAK_… give secrets to the attacker (controls), MUTANT_… break the protocol.
(set-option :fp.engine datalog)
(define-sort Device () (_ BitVec 1))   ; #b0 A, #b1 E
(define-sort Channel () (_ BitVec 2))  ; #b00 N, #b01 F, #b10 D

; What the site makes and sends: a proof of its device, a voucher of its link for a device's key, a proof of its session.
(declare-rel Proof (Device Channel))
(declare-rel Voucher (Device Channel))
(declare-rel Credential (Device Channel))
; The same, as the attacker has them: over which connection they are good.
(declare-rel HasProof (Device Channel))
(declare-rel HasVoucher (Device Channel))
(declare-rel HasCredential (Device Channel))
; What the server does, over a connection.
(declare-rel Opened (Device Channel))
(declare-rel Enrolled (Device Channel))
(declare-rel Served (Device Channel))
(declare-rel Asked ())

(declare-var d Device)
(declare-var x Device)
(declare-var c Channel)
(declare-var k Channel)

; The site names the connection that it has.
(rule (Proof #b0 #b00))
(rule (Proof #b0 #b10))
(rule (Voucher #b0 #b00))
(rule (Voucher #b0 #b10))
(rule (=> (Opened #b0 #b10) (Credential #b0 #b00)))
(rule (=> (Opened #b0 #b10) (Credential #b0 #b10)))

; The attacker hears what is sent over N, and has a device of its own.
(rule (=> (Proof d #b00) (HasProof d #b00)))
(rule (=> (Voucher d #b00) (HasVoucher d #b00)))
(rule (=> (Credential d #b00) (HasCredential d #b00)))
(rule (HasProof #b1 c))
; Who opens a session over its own connection holds it.
(rule (=> (Opened d #b01) (HasCredential d c)))

#ifdef LEAK_DEVICE_KEY
(rule (HasProof #b0 c))
#endif
#ifdef LEAK_LINK
(rule (HasVoucher d c))
#endif
#ifdef MUTANT_NO_BINDING
; Nothing that is signed or proven names its connection.
(rule (=> (HasProof d c) (HasProof d k)))
(rule (=> (HasVoucher d c) (HasVoucher d k)))
(rule (=> (HasCredential d c) (HasCredential d k)))
#endif
#ifdef MUTANT_TOKEN_SENT
; The link's token travels: who hears it signs for any key and any connection.
(rule (=> (Voucher d #b00) (HasVoucher x k)))
#endif
#ifdef MUTANT_VOUCHER_FOR_ANY_KEY
; The voucher does not name the device's key.
(rule (=> (HasVoucher d c) (HasVoucher x c)))
#endif
#ifdef MUTANT_SESSION_SENT
; The session itself travels with each request.
(rule (=> (Credential d #b00) (HasCredential d k)))
#endif

; The server takes what names its own end's exporter: from the site over D, from the attacker over F.
(rule (=> (Proof d #b10) (Opened d #b10)))
(rule (=> (HasProof d #b01) (Opened d #b01)))
(rule (=> (and (Voucher d #b10) (Proof d #b10)) (Enrolled d #b10)))
(rule (=> (and (HasVoucher d #b01) (HasProof d #b01)) (Enrolled d #b01)))
(rule (=> (Credential d #b10) (Served d #b10)))
(rule (=> (HasCredential d #b01) (Served d #b01)))

; The question.
#ifdef ASK_SESSION
(rule (=> (Opened #b0 #b01) Asked))
#endif
#ifdef ASK_REQUEST
(rule (=> (Served #b0 #b01) Asked))
#endif
#ifdef ASK_RELAY
(rule (=> (Enrolled d #b01) Asked))
#endif
#ifdef ASK_THEFT
(rule (=> (Enrolled #b1 c) Asked))
#endif
#ifdef ASK_ALIVE
(rule (=> (and (Opened #b0 #b10) (Served #b0 #b10) (Enrolled #b0 #b10) (Served #b1 #b01)) Asked))
#endif
(query Asked)
