// Package txn is the commit protocol: how the outputs, state changes and consumed offsets of a worker become one Kafka
// transaction, and what is done when any step of that fails.
//
// It has two halves. Machine is the protocol as a pure state machine: events in, actions out, in order; it knows no
// client, clock or goroutine, and the scenarios in testdata drive it alone. Producer is the driver: one transactional
// id over one franz-go client.
//
//	          Wrote                CommitDue           Flushed             OffsetsSent          Ended
//	Ready ───────────► Open ───────────────► Flushing ────────► Offsetting ───────────► Ending ───────► Ready
//	  ▲    Begin              Flush            │    SendOffsets    │           End        │      Apply
//	  │                                        │                   │                      │
//	  │                                        ▼                   ▼                      ▼
//	  │                                any error, or no answer: the outcome is unknown
//	  │  InitDone                              │
//	  └───────────── Down ◄────────────────────┘  CloseProducer, Drop, Init, Reopen
//	     Reopen
//
// One rule covers every error in the commit chain: memory never decides whether a transaction happened. The producer is
// closed, a new one with the same transactional id fences whatever the old one left (InitProducerId), all uncommitted
// state is dropped, and the tasks are opened again from what Kafka says: stable group offsets and the end of their
// changelogs. It is right whether the transaction was committed or not, and costs about 30 ms.
//
// Three cases need less or more than that rule:
//   - stale generation (the group has moved on): nothing was committed yet, so the transaction is aborted, the inputs are
//     rewound, and work goes on after the rebalance;
//   - fenced: a timed-out transaction gets the same codes as a producer with a rival, so the group arbitrates: still a
//     member, the rule above; no longer, everything is given up as if lost;
//   - a failed TxnOffsetCommit is never followed by a commit: that would commit the data without the offsets.
//
// Sources: KIP-98, KIP-447 (offsets fenced by the member's generation), KIP-890 (transaction version 2).
package txn
