package txn

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/topology"
)

// Guarantee says how often the effects of a record happen.
type Guarantee uint8

const (
	ExactlyOnce Guarantee = iota
	AtLeastOnce
	AtMostOnce
)

// Phase is where a Machine stands.
type Phase uint8

const (
	Down        Phase = iota // no usable producer: being made
	Ready                    // no transaction is open
	Open                     // a transaction is open
	Flushing                 // of a commit
	Offsetting               // of a commit: TxnOffsetCommit is under way
	Committing               // a plain OffsetCommit is under way
	Running                  // at most once: the batch is being processed
	Ending                   // EndTxn(commit) is under way
	Aborting                 // EndTxn(abort) is under way
	Arbitrating              // fenced: the group is asked
	Stopped                  // for good
)

var phaseNames = [...]string{"down", "ready", "open", "flushing", "offsetting", "committing", "running", "ending", "aborting", "arbitrating", "stopped"}

func (p Phase) String() string { return phaseNames[p] }

// How often a producer may be fenced while its process is still a member before the process gives up: more than maxFences in a
// row without a commit between them is a rival with the same transactional id, not a late answer.
const maxFences = 5

// A Machine is the commit protocol of one worker: Step takes an event and returns what to do, in order. It must not be used
// by two goroutines at once. The zero value is not ready: use NewMachine.
type Machine struct {
	guarantee Guarantee
	phase     Phase
	held      bool              // commits wait for the next assignment
	leaving   []topology.TaskID // to be closed when the commit under way is over, however it ends
	stopping  bool              // end after the commit under way
	failure   error             // end with this error after the abort under way
	lost      bool              // close all tasks after the abort under way
	attempts  int               // failed Inits in a row
	fences    int               // times fenced since the last commit
}

// NewMachine returns a machine in phase Down; its first event is Started.
func NewMachine(g Guarantee) *Machine { return &Machine{guarantee: g} }

// Phase returns where the machine stands.
func (m *Machine) Phase() Phase { return m.phase }

// Held reports whether commits, and with them new transactions, wait for an assignment.
func (m *Machine) Held() bool { return m.held }

// Describe returns the state in one line.
func (m *Machine) Describe() string {
	s := m.phase.String()
	if m.held {
		s += " held"
	}
	if m.stopping {
		s += " stopping"
	}
	return s
}

// Step takes one event. It panics when the event cannot happen in the present phase: a broken driver.
func (m *Machine) Step(e Event) []Action {
	switch e.Kind {
	case Started:
		m.must(e, Down)
		return []Action{{Kind: Init}}
	case InitDone:
		m.must(e, Down)
		m.attempts = 0
		m.phase = Ready
		return append([]Action{{Kind: Reopen}}, m.leave()...)
	case InitFailed:
		return m.initFailed(e)
	case Wrote:
		if m.phase != Ready || m.guarantee != ExactlyOnce {
			m.must(e, Ready, Open, Running)
			return nil
		}
		m.phase = Open
		return []Action{{Kind: Begin}}
	case CommitDue:
		if m.held {
			return nil
		}
		return m.commit(e.Dirty)
	case Flushed:
		m.must(e, Flushing)
		return m.flushed()
	case OffsetsSent:
		m.must(e, Offsetting)
		m.phase = Ending
		return []Action{{Kind: End}}
	case OffsetsCommitted:
		m.must(e, Committing)
		if m.guarantee == AtMostOnce {
			m.phase = Running
			return []Action{{Kind: Run}}
		}
		return m.committed()
	case Ran:
		m.must(e, Running)
		m.phase = Flushing
		return []Action{{Kind: Flush}}
	case Ended:
		m.must(e, Ending)
		return m.committed()
	case FlushFailed, OffsetsFailed, OffsetsRefused, EndFailed, AbortFailed:
		return m.failed(e)
	case Aborted:
		m.must(e, Aborting)
		return m.aborted()
	case Held:
		m.held = true
		m.leaving = append(m.leaving, e.Tasks...)
		if m.phase == Down {
			return m.leave()
		}
		return m.commit(e.Dirty)
	case Released:
		m.held = false
		return nil
	case LostAll:
		return m.loseAll()
	case Expired:
		if m.phase != Open {
			return nil
		}
		return m.abort()
	case RecordFailed:
		m.failure = e.Err
		if m.phase == Open {
			return m.abort()
		}
		return m.aborted()
	case Member:
		m.must(e, Arbitrating)
		return m.recover()
	case StopAsked:
		m.stopping = true
		if m.phase == Down {
			return m.leave()
		}
		return m.commit(e.Dirty)
	}
	panic(fmt.Sprintf("txn: unknown event %d", e.Kind))
}

// commit begins the commit chain. Nothing to commit leaves at once.
func (m *Machine) commit(dirty bool) []Action {
	switch {
	case m.phase == Open:
		m.phase = Flushing
		return []Action{{Kind: Flush}}
	case m.phase != Ready:
		return nil // the chain under way, or a recovery, ends with leave
	case !dirty:
		return m.leave()
	case m.guarantee == AtLeastOnce:
		m.phase = Flushing
		return []Action{{Kind: Flush}}
	}
	// Exactly once without a record written: a transaction would be answered without being sent, and its offsets would stay
	// pending until the timeout. A plain commit is atomic by itself. At most once: the offsets go first.
	m.phase = Committing
	return []Action{{Kind: CommitOffsets}}
}

// flushed goes on after all records are acknowledged.
func (m *Machine) flushed() []Action {
	switch m.guarantee {
	case ExactlyOnce:
		m.phase = Offsetting
		return []Action{{Kind: SendOffsets}}
	case AtLeastOnce:
		m.phase = Committing
		return []Action{{Kind: CommitOffsets}}
	}
	return m.committed()
}

// committed hands the writes to the stores: only here, after Kafka said so.
func (m *Machine) committed() []Action {
	m.phase = Ready
	m.fences = 0
	return append([]Action{{Kind: Apply}}, m.leave()...)
}

// abort ends the open transaction. Buffered records are dropped with it.
func (m *Machine) abort() []Action {
	if m.guarantee != ExactlyOnce {
		return m.recover()
	}
	m.phase = Aborting
	return []Action{{Kind: Abort}}
}

// aborted takes back what the transaction did, and goes on from the last commit.
func (m *Machine) aborted() []Action {
	m.phase = Ready
	acts := []Action{{Kind: Drop}}
	switch {
	case m.failure != nil:
		m.phase = Stopped
		return append(acts, Action{Kind: Fail, Err: m.failure})
	case m.lost:
		m.lost, m.leaving = false, nil
		return append(acts, Action{Kind: Close, All: true})
	}
	return append(append(acts, Action{Kind: Rewind}), m.leave()...)
}

// failed is any error of the commit chain.
func (m *Machine) failed(e Event) []Action {
	switch class := Classify(e.Err); {
	case e.Kind == AbortFailed:
		return m.recover()
	case class == Denied:
		m.phase = Stopped
		return []Action{{Kind: CloseProducer}, {Kind: Drop}, {Kind: Fail, Err: e.Err}}
	case class == InstanceFenced:
		m.phase = Stopped
		return []Action{{Kind: CloseProducer}, {Kind: Drop}, {Kind: Fail, Err: e.Err}}
	case class == Refused:
		if !e.Again {
			m.failure = e.Err
		}
		return m.abort()
	case class == Stale && e.Kind == OffsetsFailed:
		return m.abort()
	case class == Stale && e.Kind == OffsetsRefused:
		return m.aborted() // nothing is open: take back and rewind
	case class == Fenced:
		m.fences++
		if m.fences > maxFences {
			m.phase = Stopped
			return []Action{{Kind: CloseProducer}, {Kind: Drop}, {Kind: Fail, Err: fmt.Errorf("txn: fenced %d times in a row, another process uses this transactional id: %w", m.fences, e.Err)}}
		}
		m.phase = Arbitrating
		return []Action{{Kind: AskGroup}}
	}
	return m.recover()
}

// recover is the one rule for an unknown outcome.
func (m *Machine) recover() []Action {
	m.phase = Down
	acts := append([]Action{{Kind: CloseProducer}, {Kind: Drop}}, m.leave()...)
	if m.failure != nil {
		m.phase = Stopped
		return append(acts, Action{Kind: Fail, Err: m.failure})
	}
	if m.lost {
		m.lost = false
		acts = append(acts, Action{Kind: Close, All: true})
	}
	if m.phase == Stopped {
		return acts
	}
	return append(acts, Action{Kind: Init})
}

func (m *Machine) initFailed(e Event) []Action {
	m.must(e, Down)
	switch Classify(e.Err) {
	case Denied:
		m.phase = Stopped
		return []Action{{Kind: Fail, Err: e.Err}}
	}
	m.attempts++
	// Without a pause a refused connection is tried thousands of times a second.
	after := min(250*time.Millisecond<<min(m.attempts-1, 3), 2*time.Second)
	return []Action{{Kind: CloseProducer}, {Kind: Init, After: after}}
}

// loseAll gives up everything: other members own the tasks by now.
func (m *Machine) loseAll() []Action {
	m.held = true
	switch m.phase {
	case Open:
		m.lost = true
		return m.abort()
	case Arbitrating:
		m.lost = true
		return m.recover()
	case Down:
		m.leaving = nil
		return []Action{{Kind: Drop}, {Kind: Close, All: true}}
	}
	m.lost = true
	return m.aborted()
}

// leave closes the tasks that wait to be given up, and stops if asked.
func (m *Machine) leave() []Action {
	var acts []Action
	if len(m.leaving) > 0 {
		acts = append(acts, Action{Kind: Close, Tasks: m.leaving})
		m.leaving = nil
	}
	if m.stopping {
		m.phase = Stopped
		acts = append(acts, Action{Kind: Close, All: true}, Action{Kind: CloseProducer})
	}
	return acts
}

func (m *Machine) must(e Event, phases ...Phase) {
	for _, p := range phases {
		if m.phase == p {
			return
		}
	}
	panic(fmt.Sprintf("txn: event %v in phase %v", e.Kind, m.phase))
}
