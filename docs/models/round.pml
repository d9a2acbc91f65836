/*
 * The round machine under crashes: a coordinator whose state is its journal, clients that send until they are
 * acknowledged, a network that loses, repeats and reorders.
 *
 * A line that ends in one transaction is one atomic block; a crash may come before and after each. Memory is lost in a
 * crash, the disk is not.
 *
 * Properties (assertions, checked in every reachable state):
 *   P1  an update that was acknowledged is in the aggregate of its round, if the round is published;
 *   P2  no update is counted twice, and none in another round than its own;
 *   P3  each round publishes one version: the version equals the number of finished rounds.
 *
 * Mutants, each of which must fail:
 *   -DMUTANT_ACK_FIRST     the acknowledgement is sent before the update is on disk           breaks P1
 *   -DMUTANT_NO_DEDUP      a repeated update is counted again                                 breaks P2
 *   -DMUTANT_ANY_ROUND     the round that an update names is not checked                      breaks P2
 *   -DMUTANT_TWO_COMMITS   model and journal entry are written in two transactions            breaks P3
 */
#define CLIENTS 2
#define QUORUM 1
#define ROUNDS 2
#define CRASHES 2

/* The disk. */
byte round = 1;            /* the open round */
byte version = 0;          /* of the newest model */
byte finished = 0;         /* rounds whose end is in the journal */
byte journaled[CLIENTS];   /* how often the client's update of the open round is in the journal */
byte foreign = 0;          /* updates of another round that are in the journal of this one */
bool closed = false;       /* the phase is over: nothing more is accepted */

/* What the clients have seen, of the open round. */
bool acked[CLIENTS];

byte crashes = 0;
chan wire = [3] of { byte, byte };   /* client, round */

#define COUNT ((journaled[0] > 0) + (journaled[1] > 0))

inline maybeCrash() {
  if
  :: crashes < CRASHES -> crashes++; goto recovered
  :: true
  fi
}

inline openNext() {
  round++;
  closed = false;
  foreign = 0;
  journaled[0] = 0; journaled[1] = 0;
  acked[0] = false; acked[1] = false
}

/* What must hold when a round is published. */
inline checkPublished() {
  assert(!acked[0] || journaled[0] > 0);   /* P1 */
  assert(!acked[1] || journaled[1] > 0);
  assert(journaled[0] <= 1 && journaled[1] <= 1 && foreign == 0)   /* P2 */
}

active proctype Coordinator() {
  byte client, named;
recovered:
  client = 0; named = 0;   /* memory */
  do
  :: round > ROUNDS -> break
  :: atomic { (round <= ROUNDS && !closed && nempty(wire)) -> wire ? client, named };
#ifndef MUTANT_ANY_ROUND
     if
     :: named != round -> goto next
     :: else
     fi;
#endif
     maybeCrash();
#ifdef MUTANT_ACK_FIRST
     if :: named == round -> acked[client] = true :: else fi;
     maybeCrash();
#endif
     atomic {   /* one transaction: the row and its journal entry */
       if
       :: named != round -> foreign++
#ifdef MUTANT_NO_DEDUP
       :: named == round -> journaled[client]++
#else
       :: named == round && journaled[client] == 0 -> journaled[client] = 1
       :: named == round && journaled[client] > 0
#endif
       fi
     };
     maybeCrash();
     if :: named == round -> acked[client] = true :: else fi;   /* 2xx */
next: skip
  :: round <= ROUNDS && !closed && COUNT >= QUORUM ->
     atomic { closed = true };   /* deadline or target: an event in the journal */
     maybeCrash()
  :: round <= ROUNDS && closed ->
     maybeCrash();              /* while the aggregate is computed, from what the journal names */
#ifdef MUTANT_TWO_COMMITS
     atomic { version++ };
     maybeCrash();
     atomic { checkPublished(); finished++; openNext() };
#else
     atomic { version++; checkPublished(); finished++; openNext() };
#endif
     assert(version == finished);   /* P3 */
     maybeCrash()
  od
}

/* Sends its update until it is acknowledged; the same bytes each time. The wire may lose and repeat. */
proctype Client(byte me) {
  byte mine = 1;
  do
  :: round > ROUNDS -> break
  :: atomic { mine != round -> mine = round }
  :: atomic { (mine <= ROUNDS && !acked[me] && nfull(wire)) -> wire ! me, mine }
  :: atomic { nempty(wire) -> wire ? _, _ }   /* lost */
  od
}

init { atomic { run Client(0); run Client(1) } }
