package millrace

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// A slot is one task of this process, from the assignment of its partitions until they are given up. It belongs to the
// opener until opened is closed, and to its worker from the moment that takes it from its mailbox.
//
//	assigned ──► opening ──► restoring ──► running ──► closing ──► gone
//	                ▲                         │
//	                └── reopened after an unknown outcome
type slot struct {
	id     topology.TaskID
	sub    *graph.Sub
	worker *worker
	inputs []*input
	member string // id of the group member it was opened as: it commits as no other

	ctx    context.Context // ends when the slot is given up while it is being opened
	cancel context.CancelFunc
	gone   bool          // process.mu: given up; it must not be opened again
	opened chan struct{} // closed when the opener is done with it, well or not

	state *state // databases and changelogs; nil until opened the first time, and for a task without stores
	task  *task.Task

	flushAt time.Time // worker: when its databases are made durable

	view slotView
}

// slotView is what other goroutines may look at.
type slotView struct {
	mu        sync.Mutex
	status    string
	why       string
	positions []topology.Position
}

func (v *slotView) set(status, why string) {
	v.mu.Lock()
	v.status, v.why = status, why
	v.mu.Unlock()
}

// An input is one source partition of a slot. After a rewind the slot has new ones, so that records fetched before are known
// by their input and dropped.
type input struct {
	tp       task.TP
	slot     *slot
	offset   int64  // last committed position: next record to process
	metadata string // committed with it
	epoch    int32
	buffered atomic.Int64 // bytes on the way to, or waiting in, the task
	inTask   int64        // worker: those waiting in the task; inTask <= buffered
	live     bool         // worker: its task runs, and records of it are welcome
	next     int64        // reader: the next offset to fetch
	paused   atomic.Bool  // the client does not fetch it
	given    uint64       // worker: records handed to the task
	endAsked bool         // worker: a request for the end is under way
	endAgain time.Time    // worker: no sooner than this
}

// state is what a slot keeps on disk and in memory.
type state struct {
	path string
	disk store.DB // nil when no store of the task is on disk
	mem  store.DB // nil when none is in memory
	logs map[string]*changelogOut
}

// committed returns the committed position in an input, -1 if there is none.
func (s *slot) committed(tp task.TP) int64 {
	for _, in := range s.inputs {
		if in.tp == tp {
			return in.offset
		}
	}
	return -1
}

// db returns the database of a store.
func (s *state) db(d *decl.Store) store.DB {
	if d.InMemory {
		return s.mem
	}
	return s.disk
}

// each calls f with every database.
func (s *state) each(f func(store.DB)) {
	if s == nil {
		return
	}
	if s.disk != nil {
		f(s.disk)
	}
	if s.mem != nil {
		f(s.mem)
	}
}

// A changelogOut is the writing end of one changelog partition. A source topic that serves as changelog is written by
// others: the store follows the committed position.
type changelogOut struct {
	store   *decl.Store
	topic   string
	topicID [16]byte
	next    atomic.Int64                 // offset after the last acknowledged record
	moved   bool                         // records were sent in the open transaction
	done    func(r *kgo.Record, e error) // promise of its records
}
