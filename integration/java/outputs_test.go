package java

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// outputs is what a stock consumer that sees committed records only has read of the output topics, and what is wrong with it.
type outputs struct {
	t   *testing.T
	app string

	mu      sync.Mutex
	last    results
	records map[string]int // by topic
	ends    map[string]map[int32]int64
	wrong   []string
	hands   int
	hand    string              // who runs the shop
	history map[string][]string // of sessions, by customer: what came, and in whose time
}

// readOutputs reads until the test ends.
func readOutputs(t *testing.T, app string, opts ...kgo.Opt) *outputs {
	o := &outputs{t: t, app: app, last: newResults(), records: map[string]int{}, history: map[string][]string{}, ends: map[string]map[int32]int64{}}
	topics := o.topics()
	cl, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			fetches := cl.PollFetches(ctx)
			o.mu.Lock()
			fetches.EachRecord(o.take)
			o.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		cl.Close()
	})
	return o
}

func (o *outputs) topics() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(newResults())) {
		names = append(names, o.app+"-"+name)
	}
	return names
}

// take folds a record in.
func (o *outputs) take(r *kgo.Record) {
	if o.ends[r.Topic] == nil {
		o.ends[r.Topic] = map[int32]int64{}
	}
	o.ends[r.Topic][r.Partition] = r.Offset + 1
	if r.Attrs.IsControl() || strings.HasPrefix(string(r.Key), "close") {
		return
	}
	topic := strings.TrimPrefix(r.Topic, o.app+"-")
	o.records[topic]++
	key, value := string(r.Key), string(r.Value)
	last := o.last[topic]
	wrong := func(format string, a ...any) {
		o.wrong = append(o.wrong, fmt.Sprintf("%s/%d offset %d: ", topic, r.Partition, r.Offset)+fmt.Sprintf(format, a...))
	}
	switch topic {
	case "items":
		value = number(r.Value)
		o.follows(last[key], value, key, wrong)
	case "windows":
		key, value = windowed(r.Key), number(r.Value)
		o.follows(last[key], value, key, wrong)
	case "final", "closed":
		key, value = windowed(r.Key), number(r.Value)
		o.once(last, key, value, wrong)
	case "sessions":
		key = session(r.Key)
		if r.Value != nil {
			value = number(r.Value)
		}
		customer, _, _ := strings.Cut(key, "@")
		o.history[customer] = append(o.history[customer], fmt.Sprintf("%s: %d/%d %s = %q", o.hand, r.Partition, r.Offset, key, value))
	case "addressed":
		order := strings.Split(value, "|")
		key, value = order[0], order[2]
		o.once(last, key, value, wrong)
	case "paid":
		if strings.HasPrefix(value, "close") {
			return
		}
		key, value = value, ""
		o.once(last, key, value, wrong)
	case "categories":
		if r.Value != nil {
			value = number(r.Value)
		}
	}
	if r.Value == nil {
		delete(last, key)
		return
	}
	last[key] = value
}

// follows says that a count is not one more than the last one.
func (o *outputs) follows(last, value, key string, wrong func(string, ...any)) {
	n, _ := strconv.Atoi(last) // none yet is 0
	if value != strconv.Itoa(n+1) {
		wrong("%s counts %s after %d", key, value, n)
	}
}

// once says that something has come before.
func (o *outputs) once(last map[string]string, key, value string, wrong func(string, ...any)) {
	if before, ok := last[key]; ok {
		wrong("%s comes again: %q after %q", key, value, before)
	}
}

func number(b []byte) string {
	if len(b) != 8 {
		return fmt.Sprintf("%x, which is no number", b)
	}
	return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10)
}

// windowed reads key ‖ start.
func windowed(b []byte) string {
	key, start := b[:len(b)-8], b[len(b)-8:]
	return fmt.Sprintf("%s@%s", key, number(start))
}

// session reads key ‖ end ‖ start.
func session(b []byte) string {
	key, end, start := b[:len(b)-16], b[len(b)-16:len(b)-8], b[len(b)-8:]
	return fmt.Sprintf("%s@%s-%s", key, number(start), number(end))
}

// patience is how long the shop may take for anything.
const patience = 2 * time.Minute

// until asks a few times a second whether something is so of what was read. It fails if it is not so for long, or when the shop
// (nil: none) has ended; why says what is missing. Before each look it calls meanwhile.
func (o *outputs) until(shop *process, is func() bool, why func() string, meanwhile ...func()) {
	o.t.Helper()
	name, gone := "the reader", (<-chan struct{})(nil)
	if shop != nil {
		name, gone = shop.Name, shop.Ended()
	}
	deadline := time.After(patience)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		for _, f := range meanwhile {
			f()
		}
		o.mu.Lock()
		ok := is()
		o.mu.Unlock()
		if ok {
			return
		}
		ended := false
		select {
		case <-again.C:
			continue
		case <-gone:
			ended = true
		case <-deadline:
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.t.Fatalf("%s (ended: %v): %s; read so far: %v; wrong: %q", name, ended, why(), o.records, o.wrong)
	}
}

// drain reads what there is once nobody writes any more. It fails if a transaction was left open.
func (o *outputs) drain(admin *kadm.Client) {
	o.t.Helper()
	high, err := admin.ListEndOffsets(o.t.Context(), o.topics()...)
	if err != nil {
		o.t.Fatal(err)
	}
	stable, err := admin.ListCommittedOffsets(o.t.Context(), o.topics()...)
	if err != nil {
		o.t.Fatal(err)
	}
	high.Each(func(end kadm.ListedOffset) {
		if last, _ := stable.Lookup(end.Topic, end.Partition); last.Offset != end.Offset {
			o.t.Errorf("%s/%d is readable up to %d of %d: a transaction is open", end.Topic, end.Partition, last.Offset, end.Offset)
		}
	})
	o.until(nil, func() bool {
		missing := 0
		stable.Each(func(end kadm.ListedOffset) {
			if o.ends[end.Topic][end.Partition] < end.Offset {
				missing++
			}
		})
		return missing == 0
	}, func() string { return "the reader is not at the end" })
}

// more waits until a shop has counted n orders more.
func (o *outputs) more(shop *process, n int) {
	o.t.Helper()
	o.mu.Lock()
	n += o.records["items"]
	o.mu.Unlock()
	o.until(shop, func() bool { return o.records["items"] >= n }, func() string { return fmt.Sprintf("not %d orders within %v", n, patience) })
}

// is waits until what was read, seen through part, is what is wanted.
func (o *outputs) is(shop *process, what string, part func(results) results, want results, meanwhile ...func()) {
	o.t.Helper()
	var differences []string
	o.until(shop, func() bool {
		differences = part(o.last).differences(part(want))
		return len(differences) == 0
	}, func() string {
		return "no " + what + ":\n\t" + strings.Join(differences, "\n\t") + "\n" + o.tell(part(o.last), part(want))
	}, meanwhile...)
}

// tell tells how a session came about that is not as wanted.
func (o *outputs) tell(got, want results) string {
	for key := range want["sessions"] {
		if got["sessions"][key] != want["sessions"][key] {
			customer, _, _ := strings.Cut(key, "@")
			return "history of " + key + ":\n\t" + strings.Join(o.history[customer], "\n\t")
		}
	}
	return ""
}

// enter notes who runs the shop from now on.
func (o *outputs) enter(shop *process) *process {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hands++
	o.hand = fmt.Sprintf("%d %s", o.hands, shop.Name)
	return shop
}
