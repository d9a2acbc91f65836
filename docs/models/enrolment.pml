/*
 * Enrolment: two devices with one single-use token, a coordinator that may crash, answers that may be lost.
 *
 * Properties:
 *   P1  one token makes one device at most;
 *   P2  a token that is spent has its device: no crash burns a token;
 *   P3  a device that was told "enrolled" is enrolled, and asking again gives it the same answer.
 *
 * Mutants, each of which must fail:
 *   -DMUTANT_CHECK_OUTSIDE   whether the token is spent is asked before the transaction only   breaks P1
 *   -DMUTANT_TWO_COMMITS     the token is spent in one transaction, the device made in another breaks P2
 *   -DMUTANT_NO_REPEAT       a device whose answer was lost is refused when it asks again      breaks P3
 */
#define CRASHES 2

/* The disk: who spent the token (0: nobody), and which devices there are. */
byte spentBy = 0;
bool isDevice[3];

/* What each device was told. */
bool told[3];
bool refused[3];

byte crashes = 0;

inline maybeCrash() {
  if
  :: crashes < CRASHES -> crashes++; goto gone
  :: true
  fi
}

#define BURNT (spentBy != 0 && !isDevice[spentBy])

/* One request of one device, from its arrival to the answer, which may be lost with the process. */
proctype Request(byte me; chan done) {
  bool wasFree;
  wasFree = (spentBy == 0);   /* looked up before the proof is checked, which costs more */
#ifdef MUTANT_CHECK_OUTSIDE
  bool isMine = (spentBy == me);
#endif
  maybeCrash();
#ifdef MUTANT_CHECK_OUTSIDE
  if
  :: wasFree -> atomic { spentBy = me; isDevice[me] = true }
  :: !wasFree && !isMine -> refused[me] = true; goto gone
  :: !wasFree && isMine
  fi;
#else
#ifdef MUTANT_TWO_COMMITS
  atomic { if :: spentBy == 0 -> spentBy = me :: spentBy == me :: else -> refused[me] = true; goto gone fi };
  maybeCrash();
  atomic { isDevice[me] = true };
#else
  atomic {   /* one transaction: looked up again, spent, device made */
    if
    :: spentBy == 0 -> spentBy = me; isDevice[me] = true
#ifndef MUTANT_NO_REPEAT
    :: spentBy == me
    :: spentBy != 0 && spentBy != me -> refused[me] = true; goto gone
#else
    :: spentBy != 0 -> refused[me] = true; goto gone
#endif
    fi
  };
#endif
#endif
  maybeCrash();   /* the answer is lost */
  told[me] = true;
gone:
  done ! true
}

/* Asks until it has an answer: the same key each time. */
proctype Device(byte me) {
  chan done = [1] of { bool };
  bool any;
  do
  :: told[me] || refused[me] -> break
  :: else -> run Request(me, done); done ? any
  od;
  assert(isDevice[1] + isDevice[2] <= 1);              /* P1 */
  assert(!told[me] || (isDevice[me] && spentBy == me)); /* P3 */
  assert(!refused[me] || spentBy != me)                 /* P3: the owner of the token is never refused */
}

/* P2, in every state: looks whenever the token is burnt. */
active proctype Monitor() {
  BURNT -> assert(false)
}

init {
  atomic { run Device(1); run Device(2) };
  (told[1] || refused[1]) && (told[2] || refused[2]);
  assert(isDevice[1] + isDevice[2] == 1)
}
