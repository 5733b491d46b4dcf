package millrace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/txn"
)

// A reader fetches for all tasks of the process over one client, and hands records to the workers. It reads exactly the
// partitions it is told, from exactly the offset it is told: the group client only manages membership.
//
// What is added and removed takes effect between two polls, on the reader's own goroutine. So a record of a poll belongs to
// the input that was there when the poll began, and none fetched before a rewind reaches the input made after it.
type reader struct {
	p  *process
	cl *kgo.Client

	mu      sync.Mutex
	ops     []readerOp
	kick    context.CancelFunc // ends the poll under way; nil between polls
	room    chan struct{}      // has room for one: bytes were drained
	bytes   atomic.Int64       // fetched and not yet processed
	starved atomic.Bool        // a task waits for an input that is not fetched because others fill the room
	high    int64              // no poll above, one partition is paused above its share
	low     int64

	inputs map[task.TP]*input // reader goroutine
	paused map[task.TP]*input // reader goroutine
	checks sync.WaitGroup     // of positions that are said to be out of range
	done   chan struct{}
}

type readerOp struct {
	add   bool
	again bool // begin anew where the reader is
	ins   []*input
	from  []int64 // of an addition: where to begin
}

// recordOverhead is what a waiting record costs beside its bytes.
const recordOverhead = 96

// pollRecords is the most one poll returns.
const pollRecords = 10_000

func newReader(p *process) (*reader, error) {
	opts := append(p.clientOptions("reader"), readOptions()...)
	opts = append(opts,
		kgo.MetadataMinAge(20*time.Millisecond), // an added partition waits for a metadata answer
		kgo.FetchMaxBytes(int32(min(p.cfg.Memory/16, 50<<20))),
	)
	cl, err := txn.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("millrace: reader: %w", err)
	}
	return &reader{p: p, cl: cl, room: make(chan struct{}, 1), high: p.cfg.Memory / 64, low: p.cfg.Memory / 128,
		inputs: map[task.TP]*input{}, paused: map[task.TP]*input{}, done: make(chan struct{})}, nil
}

// add has inputs read from their offsets on. It does not wait.
func (r *reader) add(ins []*input) {
	o := readerOp{add: true, ins: slices.Clone(ins)}
	for _, in := range ins {
		o.from = append(o.from, in.offset)
	}
	r.op(o)
}

// remove stops inputs from being read. It does not wait: records on their way are told by their input.
func (r *reader) remove(ins []*input) { r.op(readerOp{ins: slices.Clone(ins)}) }

func (r *reader) op(o readerOp) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
	if r.kick != nil {
		r.kick()
	}
}

// drained tells that so many bytes of an input are processed or dropped.
func (r *reader) drained(in *input, n int64) {
	left := in.buffered.Add(-n)
	if before := r.bytes.Add(-n) + n; before > r.low {
		select {
		case r.room <- struct{}{}:
		default:
		}
	}
	if in.paused.Load() && left < r.high/8 {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.kick != nil {
			r.kick() // the poll under way may wait for nothing but paused partitions
		}
	}
}

// run is the reader's goroutine. It ends with ctx.
func (r *reader) run(ctx context.Context) {
	defer close(r.done)
	defer r.checks.Wait()
	for ctx.Err() == nil {
		pollCtx, cancel := context.WithCancel(ctx)
		r.mu.Lock()
		ops := r.ops
		r.ops = nil
		r.kick = cancel
		r.mu.Unlock()
		for _, o := range ops {
			r.apply(o)
		}
		r.resume()
		if r.bytes.Load() > r.high {
			if !r.starved.Swap(false) {
				select { // workers are behind: leave it with the client, which then stops fetching
				case <-r.room:
				case <-pollCtx.Done():
				}
				cancel()
				continue
			}
			// What fills the room waits for an input that has none: a join whose stream is ahead of its table. Only what is
			// short is fetched.
			r.pauseAbove(r.high / int64(4*max(1, len(r.inputs))))
		}
		fs := r.cl.PollRecords(pollCtx, pollRecords)
		cancel()
		r.dispatch(fs)
	}
}

// apply adds or removes partitions.
func (r *reader) apply(o readerOp) {
	if o.again {
		if in := o.ins[0]; r.inputs[in.tp] == in {
			r.cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{in.tp.Topic: {in.tp.Partition: kgo.NewOffset().At(in.next)}})
		}
		return
	}
	if o.add {
		parts := map[string]map[int32]kgo.Offset{}
		for i, in := range o.ins {
			in.next = o.from[i]
			r.inputs[in.tp] = in
			if parts[in.tp.Topic] == nil {
				parts[in.tp.Topic] = map[int32]kgo.Offset{}
			}
			parts[in.tp.Topic][in.tp.Partition] = kgo.NewOffset().At(in.next)
		}
		r.cl.AddConsumePartitions(parts)
		return
	}
	parts := map[string][]int32{}
	for _, in := range o.ins {
		if r.inputs[in.tp] == in {
			delete(r.inputs, in.tp)
			parts[in.tp.Topic] = append(parts[in.tp.Topic], in.tp.Partition)
		}
		if r.paused[in.tp] == in {
			delete(r.paused, in.tp)
			r.cl.ResumeFetchPartitions(map[string][]int32{in.tp.Topic: {in.tp.Partition}})
		}
	}
	r.cl.RemoveConsumePartitions(parts)
}

// dispatch hands the records of a poll to the workers of their tasks.
func (r *reader) dispatch(fs kgo.Fetches) {
	fs.EachPartition(func(f kgo.FetchTopicPartition) {
		in := r.inputs[tpOf(f.Topic, f.Partition)]
		if in == nil {
			return // an error of the whole client, or a partition just removed
		}
		if f.Err != nil && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, context.DeadlineExceeded) && !errors.Is(f.Err, kgo.ErrClientClosed) {
			r.failed(in, f.Err)
		}
		if len(f.Records) == 0 {
			return
		}
		m := convert(in, f.Records)
		in.next = max(in.next, m.next) // the client may begin again from further back; the task drops what it has
		r.bytes.Add(m.size)
		if in.buffered.Add(m.size) > r.high/2 && len(r.inputs) > 1 && r.paused[in.tp] == nil {
			// One partition far ahead of its task must not fill the room of all.
			r.pause(in)
		}
		in.slot.worker.mail.put(m)
	})
}

// starve tells that a task with records waiting needs those of an input that has none.
func (r *reader) starve() {
	if r.bytes.Load() <= r.high {
		return
	}
	r.starved.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kick != nil {
		r.kick()
	}
}

// pauseAbove pauses every input that has more than so many bytes waiting.
func (r *reader) pauseAbove(bytes int64) {
	for tp, in := range r.inputs {
		if in.buffered.Load() > bytes && r.paused[tp] == nil {
			r.pause(in)
		}
	}
}

// pause stops the fetching of one input. What the client has of it is thrown away, to be fetched again.
func (r *reader) pause(in *input) {
	r.paused[in.tp] = in
	in.paused.Store(true)
	r.cl.PauseFetchPartitions(map[string][]int32{in.tp.Topic: {in.tp.Partition}})
}

// resume fetches paused partitions again whose task has caught up.
func (r *reader) resume() {
	for tp, in := range r.paused {
		if in.buffered.Load() < min(r.high/8, r.high/int64(8*max(1, len(r.inputs)))) {
			in.paused.Store(false)
			delete(r.paused, tp)
			r.cl.ResumeFetchPartitions(map[string][]int32{tp.Topic: {tp.Partition}})
		}
	}
}

// mailPool has batches whose records were taken over by a task.
var mailPool = sync.Pool{New: func() any { return new(mailRecords) }}

// recycle gives a batch back: the task has copied its records.
func (m *mailRecords) recycle() {
	clear(m.recs)
	m.in = nil
	mailPool.Put(m)
}

// convert makes the records of one partition those of a task. Control records only move the position.
func convert(in *input, recs []*kgo.Record) *mailRecords {
	m := mailPool.Get().(*mailRecords)
	m.in, m.next, m.size = in, recs[len(recs)-1].Offset+1, 0
	m.recs = slices.Grow(m.recs[:0], len(recs))
	for _, kr := range recs {
		if kr.Attrs.IsControl() {
			continue
		}
		ri := record.In{Key: kr.Key, Value: kr.Value, Time: kr.Timestamp.UnixMilli(), Offset: kr.Offset, Epoch: kr.LeaderEpoch}
		ri.Headers = headersOf(kr)
		for _, h := range ri.Headers {
			m.size += int64(len(h.Key) + len(h.Value))
		}
		m.size += int64(len(kr.Key)+len(kr.Value)) + recordOverhead
		m.recs = append(m.recs, ri)
	}
	return m
}

// headersOf returns the headers of a record.
func headersOf(kr *kgo.Record) []record.Header {
	if len(kr.Headers) == 0 {
		return nil
	}
	headers := make([]record.Header, len(kr.Headers))
	for i, h := range kr.Headers {
		headers[i] = record.Header(h)
	}
	return headers
}

// failed deals with a fetch that the client gave up. A position that the broker says is out of range, or a leader whose history
// does not reach back to ours, may be real (the log was cut, at its start or at its end) or a broker that did not know yet:
// the log's ends decide, and reading goes on from where the task stands, or the app ends. Nothing is skipped in silence.
func (r *reader) failed(in *input, err error) {
	var loss *kgo.ErrDataLoss
	if !errors.As(err, &loss) && !errors.Is(err, kerr.OffsetOutOfRange) {
		if err := r.p.topicError(in.tp, err); err != nil {
			in.slot.worker.mail.put(mailFailed{in, err})
		} else {
			r.p.log.Debug("millrace: fetch", "topic", in.tp.Topic, "partition", in.tp.Partition, "error", err)
		}
		return
	}
	r.cl.RemoveConsumePartitions(map[string][]int32{in.tp.Topic: {in.tp.Partition}})
	next := in.next
	r.checks.Go(func() {
		for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			if lost, listErr := r.p.outOfRange(in.tp, next, err); listErr == nil {
				if lost != nil {
					in.slot.worker.mail.put(mailFailed{in, lost})
				} else {
					r.op(readerOp{again: true, ins: []*input{in}})
				}
				return
			}
			select {
			case <-r.p.ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	})
}

var errOutrun = errors.New("millrace: the group is ahead of this process")

// outOfRange compares a position with the log: lost when records from it on are gone, or the log ends before it; listErr when that
// cannot be said now.
func (p *process) outOfRange(tp task.TP, next int64, cause error) (lost, listErr error) {
	starts, err := p.listStarts(p.ctx, []task.TP{tp})
	if err != nil {
		return nil, err
	}
	ends, err := p.listEnds(p.ctx, []task.TP{tp}, false)
	if err != nil {
		return nil, err
	}
	switch {
	case next < starts[tp]:
		// A process that was out of reach for long may not know yet that others have its tasks, have committed further, and
		// have trimmed what it still stands at.
		got, unstable, err := p.fetchOffsets(p.ctx, []task.TP{tp})
		switch {
		case err != nil:
			return nil, err
		case unstable != nil || got[tp].offset > next:
			return nil, errOutrun
		}
		return &TopicError{tp.Topic, "", fmt.Sprintf("partition %d begins at offset %d, the next to read is %d: records were deleted before they were read", tp.Partition, starts[tp], next),
			"raise the topic's retention; to go on without the lost records, move the group's offset with kafka-consumer-groups.sh --reset-offsets while the app is stopped", cause}, nil
	case next > ends[tp]:
		return &TopicError{tp.Topic, "", fmt.Sprintf("partition %d ends at offset %d, the next to read is %d: it was cut or made anew", tp.Partition, ends[tp], next),
			"find out what happened to the topic (an unclean leader election, a deletion); then reset the app", cause}, nil
	}
	return nil, nil
}

// topicError says what a failed fetch means; nil when the client goes on by itself.
func (p *process) topicError(tp task.TP, err error) error {
	if denied := p.denied(err, tp.Topic, "Read"); denied != nil {
		return denied
	}
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return &TopicError{tp.Topic, "", fmt.Sprintf("partition %d is gone", tp.Partition), "was the topic deleted? Reset the app before running it on a new one", err}
	}
	return nil
}
