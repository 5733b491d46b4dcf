package millrace

import (
	"time"

	"github.com/millrace-streams/millrace/topology"
)

// Events are functions called as things happen; any may be nil. They run on the goroutine of the thing and must not block.
type Events struct {
	State     func(from, to State)
	Assigned  func(tasks []topology.TaskID) // opened and running from now on
	Revoked   func(tasks []topology.TaskID) // committed and closed
	Restoring func(RestoreInfo)             // progress of a store, and its end
	Committed func(CommitInfo)
	Recovered func(RecoverInfo)                            // a commit failed or its outcome was unknown
	Hanging   func(HangInfo)                               // Kafka holds back an offset or a partition for longer than our transactions may live
	Record    func(*topology.RecordError, topology.Action) // an error policy decided
}

// RestoreInfo tells how far a store's restore is.
type RestoreInfo struct {
	Task          topology.TaskID // {-1, -1} of a global table, which belongs to no task
	Store         string
	Position, End int64  // offsets in the changelog
	Records       int64  // replayed so far
	Wiped         string // why the rows on disk were thrown away first; empty: they were kept
	Elapsed       time.Duration
	Remain        time.Duration // an estimate; 0 at the end
	Done          bool
}

// CommitInfo tells of one commit of one worker.
type CommitInfo struct {
	Worker  int
	Records int           // processed since the commit before
	Tasks   int           // that took part
	Took    time.Duration // from the last record until Kafka has answered and the stores hold it; at most once: with the batch itself
	Stores  time.Duration // what the stores took of it
}

// RecoverInfo tells why a worker's uncommitted work was taken back.
type RecoverInfo struct {
	Worker int
	Err    error
}

// HangInfo names a partition, or the group's offset of it, that a transaction nobody ends keeps from moving. That of another
// application may also be a long one of a producer that the app is not allowed to describe.
type HangInfo struct {
	Topic        string
	Partition    int32
	For          time.Duration
	LogTopic     string // where the transaction is: Topic, or __consumer_offsets, which holds the group's offsets
	LogPartition int32  // -1: not known
	Offset       int64  // of the transaction's beginning in that log; -1: not known, the app would need Read on LogTopic
	ProducerID   int64  // -1: not known
	Remedy       string // what to do, a command for an administrator in it
}
