package txn

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/topology"
)

// EventKind says what happened.
type EventKind uint8

const (
	Started          EventKind = iota // the worker begins
	InitDone                          // InitProducerId answered: older transactions of the id are over
	InitFailed                        // it failed with Err
	Wrote                             // a record is about to be sent, or a row was written: a transaction must be open
	CommitDue                         // it is time to commit
	Flushed                           // all records sent are acknowledged
	FlushFailed                       // one was not: Err
	OffsetsSent                       // TxnOffsetCommit answered without error
	OffsetsFailed                     // it failed with Err
	OffsetsCommitted                  // a plain OffsetCommit answered without error
	OffsetsRefused                    // it failed with Err
	Ran                               // at most once: the batch whose offsets were committed is processed
	Ended                             // EndTxn(commit) answered without error
	EndFailed                         // it failed, or got no answer: Err
	Aborted                           // EndTxn(abort) answered without error
	AbortFailed                       // it failed: Err
	Held                              // a rebalance begins: commit, give up Tasks, and hold commits until Released
	Released                          // the new generation's assignment is here
	LostAll                           // the membership is lost: nothing may be committed any more
	Expired                           // the transaction is about to exceed its timeout
	RecordFailed                      // a record failed for good: the transaction cannot be committed
	Member                            // answer to AskGroup: still a member
	StopAsked                         // commit and end
)

var eventNames = [...]string{"started", "init-done", "init-failed", "wrote", "commit-due", "flushed", "flush-failed", "offsets-sent", "offsets-failed",
	"offsets-committed", "offsets-refused", "ran", "ended", "end-failed", "aborted", "abort-failed", "held", "released", "lost", "expired", "record-failed", "member", "stop"}

func (k EventKind) String() string { return eventNames[k] }

// An Event is one thing that happened.
type Event struct {
	Kind  EventKind
	Err   error             // of the kinds that name it
	Tasks []topology.TaskID // Held: tasks to give up
	Again bool              // FlushFailed with a refused record: abort, then process again and ask the policy
	Dirty bool              // CommitDue, Held, StopAsked: offsets moved although nothing was written
}

// ActionKind says what to do.
type ActionKind uint8

const (
	Init          ActionKind = iota // after After: make a client, InitProducerId; answer InitDone or InitFailed
	Begin                           // begin a transaction
	Flush                           // wait for all records sent; answer Flushed or FlushFailed
	SendOffsets                     // TxnOffsetCommit of the processed offsets of all tasks; answer OffsetsSent or OffsetsFailed
	CommitOffsets                   // OffsetCommit, no transaction; answer OffsetsCommitted or OffsetsRefused
	Run                             // at most once: process what the committed offsets cover; answer Ran
	End                             // EndTxn(commit); answer Ended or EndFailed
	Abort                           // drop what is buffered, EndTxn(abort); answer Aborted or AbortFailed
	Apply                           // hand the transaction's writes to the stores
	Drop                            // take back all uncommitted writes
	Rewind                          // seek all inputs to the last commit
	Reopen                          // open all tasks again: stable offsets, end of the changelogs
	Close                           // close Tasks (all of them: nil with All)
	CloseProducer                   // close the client without waiting for it
	AskGroup                        // a heartbeat; answer Member or LostAll
	Fail                            // end the process with Err
)

var actionNames = [...]string{"init", "begin", "flush", "send-offsets", "commit-offsets", "run", "end", "abort", "apply", "drop", "rewind", "reopen", "close", "close-producer", "ask-group", "fail"}

func (k ActionKind) String() string { return actionNames[k] }

// An Action is one thing to do. Actions of one step are done in order.
type Action struct {
	Kind  ActionKind
	After time.Duration     // Init: wait so long first
	Tasks []topology.TaskID // Close
	All   bool              // Close: every task
	Err   error             // Fail
}

func (a Action) String() string {
	var b strings.Builder
	b.WriteString(a.Kind.String())
	if a.After > 0 {
		fmt.Fprintf(&b, " after=%v", a.After)
	}
	if a.All {
		b.WriteString(" all")
	}
	for _, t := range a.Tasks {
		fmt.Fprintf(&b, " %v", t)
	}
	if a.Err != nil {
		fmt.Fprintf(&b, " (%v)", a.Err)
	}
	return b.String()
}
