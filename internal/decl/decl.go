package decl

import "time"

// Kind says what a store's rows are.
type Kind uint8

const (
	KeyValue   Kind = iota // latest value per key
	Window                 // value per key and window start
	Session                // value per key and session
	Versioned              // history per key
	Suppressed             // changes of a table that wait: the last of each key, found by the time it waits for
	Held                   // records of a stream that wait, in the order of time
)

func (k Kind) String() string {
	return [...]string{"key-value", "window", "session", "versioned", "suppress buffer", "stream buffer"}[k]
}

// A Store is the declaration of one store.
type Store struct {
	Name        string
	Kind        Kind
	At          string            // file:line of the declaration
	Key, Value  any               // serde.Serde[K], serde.Serde[V]
	InMemory    bool              // rows live in memory only; still restored from the changelog
	NoChangelog bool              // not mirrored to Kafka: lost at an unclean stop
	NoCache     bool              // every update is forwarded at once, not once per commit
	LRU         int               // keep at most so many rows; 0: no limit
	Headers     bool              // rows keep the headers of the record that wrote them
	TTL         time.Duration     // delete rows not written for so long; 0: never
	Size        time.Duration     // of a window; of sliding windows their time difference
	Advance     time.Duration     // windows start at its multiples only; 0: anywhere
	Retention   time.Duration     // of windows and sessions
	Segment     time.Duration     // rows expire by stretches of this length; 0: half the retention, and at least a minute
	Duplicates  bool              // of a window store: values of equal key and start stand side by side, in order of arrival
	ByTime      bool              // rows of windows and sessions are also found in the order of time, for what is sent when they close
	OnClose     bool              // what it keeps is sent when its window closes
	Lingers     bool              // rows of windows and sessions that have expired are found until they are given up
	History     time.Duration     // of versioned rows
	TopicConfig map[string]string // of the changelog topic
	Source      string            // name of the source topic that serves as changelog; "": the store has its own
	FromSource  bool              // its source topic is to serve as its changelog: Source, which the verb sets
	Global      bool              // every process has all of it, and any task may read it; Source is its topic
	Err         error             // what is wrong with the declaration; Build reports it, at At
}

// Logged reports whether the store has a changelog topic of its own.
func (s *Store) Logged() bool { return !s.NoChangelog && s.Source == "" }

// Restored reports whether the rows of a task's store come back from a topic: its changelog, or its source.
func (s *Store) Restored() bool { return !s.NoChangelog && !s.Global }
