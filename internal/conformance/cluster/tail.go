package cluster

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/conformance"
)

// A part is a partition of a topic.
type part struct {
	topic string
	n     int32
}

// A tail reads everything in the topics of an app, from the beginning, committed records only.
type tail struct {
	s      *session
	app    string
	client *kgo.Client
	parts  []part
	names  []string

	batch   int // that is being fed
	next    map[part]int64
	records map[part][]Record
}

// follow begins to read the topics that the app has now.
func (s *session) follow(ctx context.Context, app string) (*tail, error) {
	topics, err := s.topics(ctx, app)
	if err != nil {
		return nil, err
	}
	t := &tail{s: s, app: app, batch: -1, next: map[part]int64{}, records: map[part][]Record{}}
	from := map[string]map[int32]kgo.Offset{}
	for name, n := range topics {
		t.names = append(t.names, name)
		from[name] = map[int32]kgo.Offset{}
		for i := range n {
			t.parts = append(t.parts, part{name, i})
			from[name][i] = kgo.NewOffset().At(0)
		}
	}
	slices.Sort(t.names)
	t.client, err = kgo.NewClient(
		kgo.SeedBrokers(s.brokers...),
		kgo.ConsumePartitions(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // positions count them
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // nothing may be gone
	)
	if err != nil {
		return nil, fmt.Errorf("cluster: read the topics of %s: %w", app, err)
	}
	return t, nil
}

func (t *tail) close() { t.client.Close() }

// poll reads what comes within a moment.
func (t *tail) poll(ctx context.Context) error {
	moment, cancel := context.WithTimeout(ctx, 25*time.Millisecond)
	defer cancel()
	fetches := t.client.PollFetches(moment)
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
			return fmt.Errorf("cluster: read %s/%d: %w", e.Topic, e.Partition, e.Err)
		}
	}
	fetches.EachRecord(func(rec *kgo.Record) {
		p := part{rec.Topic, rec.Partition}
		t.next[p] = rec.Offset + 1
		if !rec.Attrs.IsControl() {
			t.records[p] = append(t.records[p], t.record(rec))
		}
	})
	return nil
}

func (t *tail) record(rec *kgo.Record) Record {
	out := Record{Offset: rec.Offset, Time: rec.Timestamp.UnixMilli(), Batch: t.batch}
	if rec.Key != nil {
		out.Key = &rec.Key
	}
	if rec.Value != nil {
		out.Value = &rec.Value
	}
	for _, h := range rec.Headers {
		header := conformance.Header{Key: h.Key}
		if h.Value != nil {
			header.Value = &h.Value
		}
		out.Headers = append(out.Headers, header)
	}
	return out
}

// marks is where everything stands: ends of partitions, and what is committed.
type marks struct {
	high, stable map[part]int64
	committed    map[part]kadm.Offset
}

func (t *tail) marks(ctx context.Context) (m marks, err error) {
	ends := func(list func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[part]int64, error) {
		got, err := list(ctx, t.names...)
		if err == nil {
			err = got.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("cluster: ends of %v: %w", t.names, err)
		}
		all := map[part]int64{}
		got.Each(func(o kadm.ListedOffset) { all[part{o.Topic, o.Partition}] = o.Offset })
		return all, nil
	}
	if m.stable, err = ends(t.s.adm.ListCommittedOffsets); err != nil {
		return m, err
	}
	if m.high, err = ends(t.s.adm.ListEndOffsets); err != nil {
		return m, err
	}
	got, err := t.s.adm.FetchOffsets(ctx, t.app)
	if err != nil {
		return m, fmt.Errorf("cluster: offsets of %s: %w", t.app, err)
	}
	m.committed = map[part]kadm.Offset{}
	got.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			m.committed[part{o.Topic, o.Partition}] = o.Offset
		}
	})
	return m, nil
}

// result returns what has been added since the given ends, and what is committed.
func (t *tail) result(before map[part]int64, m marks) Result {
	res := Result{Topics: map[string]Topic{}, Offsets: map[string][]*Offset{}}
	for _, p := range t.parts {
		topic := res.Topics[p.topic]
		added := Partition{Start: before[p], End: m.high[p]}
		var index int64
		o, ok := m.committed[p]
		for _, rec := range t.records[p] {
			if rec.Offset >= before[p] {
				added.Records = append(added.Records, rec)
			}
			if rec.Offset < o.At {
				index++
			}
		}
		topic.Partitions = append(topic.Partitions, added)
		res.Topics[p.topic] = topic
		if !ok {
			continue
		}
		for len(res.Offsets[p.topic]) < int(p.n) {
			res.Offsets[p.topic] = append(res.Offsets[p.topic], nil)
		}
		res.Offsets[p.topic] = append(res.Offsets[p.topic], offset(o, index))
	}
	return res
}

// offset reads a committed offset. Metadata that cannot be read tells nothing.
func offset(o kadm.Offset, index int64) *Offset {
	out := &Offset{Offset: o.At, Index: index, Metadata: o.Metadata}
	b, err := base64.StdEncoding.DecodeString(o.Metadata)
	if err != nil || len(b) < 9 {
		return out
	}
	out.Version = new(int(b[0]))
	out.Time = new(int64(binary.BigEndian.Uint64(b[1:])))
	if b = b[9:]; len(b) < 4 {
		return out
	}
	out.Progress = map[string]int64{}
	b = b[4:] // their number: they reach to the end
	for len(b) >= 4 {
		size := 4 + int(binary.BigEndian.Uint32(b))
		if len(b) < size+8 {
			break
		}
		out.Progress[string(b[4:size])] = int64(binary.BigEndian.Uint64(b[size:]))
		b = b[size+8:]
	}
	return out
}
