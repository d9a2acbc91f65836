; Key establishment and envelopes, symbolically: who can make the coordinator accept what, and who learns what.
;
; Cryptography is perfect and terms are finite: two devices (A honest, E the attacker's own, enrolled), two rounds. The
; attacker owns the network: it sees, keeps, drops and sends everything, chooses the challenges that A signs to open a
; session, and signs as E. Each (query …) asks for a state that must not be reachable; a control must be.
;
;   authenticity   what is accepted from A in a round is what A sealed for that round and suite
;   downgrade      a plan that demands a QKD key accepts nothing without one
;   copying        E cannot have A's update accepted as its own
;   secrecy        A's update stays secret while the round's key or the QKD key is unknown; long-term keys do not help
;
; Defined by the runner: LEAK_… give secrets to the attacker (adversaries and controls), MUTANT_… break the protocol.
(set-option :fp.engine datalog)
(define-sort Device () (_ BitVec 1))   ; #b0 A, #b1 E
(define-sort Round () (_ BitVec 1))
(define-sort Suite () (_ BitVec 1))    ; #b0 ML-KEM + X25519, #b1 with a QKD key besides
(define-sort Purpose () (_ BitVec 1))  ; #b0 envelope, #b1 session
(define-sort Payload () (_ BitVec 2))  ; #b00 A's of round 0, #b01 A's of round 1, #b1x the attacker's

; Secrets that the attacker has.
(declare-rel RoundKey (Round))         ; private key of the round
(declare-rel QkdKey (Device Round))    ; QKD key of a device in a round
(declare-rel SigningKey (Device))
(declare-rel Knows (Payload))
; On the wire: a header's device, round and suite with a payload sealed under it, to the round's key or to another's.
(declare-rel Sealed (Device Round Suite Payload))
(declare-rel SealedToAttacker (Payload))
; A signature: by whom, for what, over device, round, suite and payload.
(declare-rel Signed (Device Purpose Device Round Suite Payload))
(declare-rel Announced (Round))        ; A holds the coordinator's signed announcement
(declare-rel Accepted (Device Round Suite Payload))
(declare-rel Asked ())

(declare-var d Device)
(declare-var x Device)
(declare-var r Round)
(declare-var q Round)
(declare-var s Suite)
(declare-var p Payload)
(declare-var u Purpose)

; The attacker's own device and its keys.
(rule (SigningKey #b1))
(rule (QkdKey #b1 #b0))
(rule (QkdKey #b1 #b1))
(rule (Knows #b10))
(rule (Knows #b11))
#ifdef LEAK_ROUND_KEYS
(rule (RoundKey #b0))
(rule (RoundKey #b1))
#endif
#ifdef LEAK_QKD_KEYS
(rule (QkdKey #b0 #b0))
(rule (QkdKey #b0 #b1))
#endif
#ifdef LEAK_SIGNING_KEYS
(rule (SigningKey #b0))
#endif

; A seals its update of a round under the announced key and the QKD key, and signs. The plan demands QKD: suite 1.
(rule (Announced r))
(rule (=> (Announced #b0) (Sealed #b0 #b0 #b1 #b00)))
(rule (=> (Announced #b1) (Sealed #b0 #b1 #b1 #b01)))
(rule (Signed #b0 #b0 #b0 #b0 #b1 #b00))
(rule (Signed #b0 #b0 #b0 #b1 #b1 #b01))
#ifdef MUTANT_UNSIGNED_ANNOUNCEMENT
(rule (SealedToAttacker #b00))
(rule (SealedToAttacker #b01))
#endif
; A signs whatever challenge it is given to open a session: any words at all, but for that purpose.
(rule (Signed #b0 #b1 d r s p))

; The attacker seals what it knows, to any round, under the QKD keys that it has or without one.
(rule (=> (Knows p) (Sealed d r #b0 p)))
(rule (=> (and (Knows p) (QkdKey d r)) (Sealed d r #b1 p)))
; It signs with the keys it has, over any words.
(rule (=> (SigningKey d) (Signed d u x r s p)))
#ifdef MUTANT_HEADER_NOT_BOUND
; The header is no part of the key schedule: a ciphertext can be put under another device's header.
(rule (=> (Sealed d r s p) (Sealed x r s p)))
#endif
#ifdef MUTANT_ROUND_NOT_SIGNED
(rule (=> (Signed d u x r s p) (Signed d u x q s p)))
(rule (=> (Sealed d r s p) (Sealed d q s p)))
#endif

; Who opens what.
(rule (=> (and (Sealed d r #b0 p) (RoundKey r)) (Knows p)))
(rule (=> (and (Sealed d r #b1 p) (RoundKey r) (QkdKey d r)) (Knows p)))
(rule (=> (SealedToAttacker p) (Knows p)))

; The coordinator: the signature is by the device that the header names, for an envelope, over what opens.
#ifdef MUTANT_NO_PURPOSE
(rule (=> (and (Signed d u d r s p) (Sealed d r s p) (= s #b1)) (Accepted d r s p)))
#else
#ifdef MUTANT_ANY_SUITE
(rule (=> (and (Signed d #b0 d r s p) (Sealed d r s p)) (Accepted d r s p)))
#else
(rule (=> (and (Signed d #b0 d r s p) (Sealed d r s p) (= s #b1)) (Accepted d r s p)))
#endif
#endif

; The question.
#ifdef ASK_AUTHENTICITY
(rule (=> (and (Accepted #b0 r s p) (not (= p (concat #b0 r)))) Asked))
#endif
#ifdef ASK_DOWNGRADE
(rule (=> (Accepted d r #b0 p) Asked))
#endif
#ifdef ASK_COPYING
(rule (=> (and (Accepted #b1 r s p) (= ((_ extract 1 1) p) #b0)) Asked))
#endif
#ifdef ASK_SECRECY
(rule (=> (and (Knows p) (= ((_ extract 1 1) p) #b0)) Asked))
#endif
#ifdef ASK_ALIVE
(rule (=> (and (Accepted #b0 #b0 #b1 #b00) (Accepted #b0 #b1 #b1 #b01)) Asked))
#endif
(query Asked)
