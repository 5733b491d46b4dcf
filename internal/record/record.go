package record

// A Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// A Position is a place in a topic.
type Position struct {
	Topic     string // full name
	Partition int32
	Offset    int64
}

// Meta is what travels beside key and value. A task has one and reuses it for every record: an operator that keeps
// something of it copies it, and a fan-out restores it between its children.
type Meta struct {
	Time    int64    // event time, milliseconds since the epoch
	Headers []Header // shared between operators: replaced, never changed in place
	NoKey   bool     // the record has no key; functions get the zero K
	NoValue bool     // the record deletes its key; value functions are not called
	Node    int32    // id of the node whose user function runs, set just before the call: names the node when it panics

	At *Position // where a record that waited in a buffer was read; nil: it is the one in hand
}

// Fn takes one record of a stream.
type Fn[K, V any] func(m *Meta, k K, v V)

// A Change is a row of a table before and after. At least one of HasOld, HasNew is true unless a table forwards a
// deletion of a key whose former value it does not know.
type Change[V any] struct {
	Old, New       V
	HasOld, HasNew bool
	Stale          bool // a newer version of the row is there already (versioned tables): Old is that, and a join does not want it
}

// ChangeFn takes one change of a table. m.NoValue is not looked at: HasNew says whether the row exists.
type ChangeFn[K, V any] func(m *Meta, k K, c Change[V])

// Around returns f with each call of it made by around, which calls handle for it. A function of a step is not called again
// while it runs: a topology has no circles.
func (f Fn[K, V]) Around(around func(m *Meta, handle func())) any {
	var (
		m *Meta
		k K
		v V
	)
	handle := func() { f(m, k, v) }
	return Fn[K, V](func(meta *Meta, key K, value V) {
		m, k, v = meta, key, value
		around(meta, handle)
	})
}

// Around is that of Fn.
func (f ChangeFn[K, V]) Around(around func(m *Meta, handle func())) any {
	var (
		m *Meta
		k K
		c Change[V]
	)
	handle := func() { f(m, k, c) }
	return ChangeFn[K, V](func(meta *Meta, key K, change Change[V]) {
		m, k, c = meta, key, change
		around(meta, handle)
	})
}

// In is a record as it was fetched. A nil Key or Value is Kafka's null; an empty one is not nil.
type In struct {
	Key, Value []byte
	Headers    []Header
	Time       int64 // timestamp of the Kafka record, milliseconds
	Offset     int64
	Epoch      int32 // leader epoch, -1 when unknown
}

// Out is a record to be produced. Key and Value are not written to after it was handed over.
type Out struct {
	Topic      string // full name in Kafka
	Partition  int32  // -1: any partition (a record without a key)
	Key, Value []byte // nil is Kafka's null
	Headers    []Header
	Time       int64 // milliseconds
}

// A Failure is what an operator panics with when the record in hand cannot be processed. The task recovers it, asks the
// error policy, and goes on with the next record or ends.
type Failure struct {
	Node int32
	Err  error
}

// Fail ends the processing of the record in hand with err, at the given node.
func Fail(node int32, err error) { panic(Failure{node, err}) }
