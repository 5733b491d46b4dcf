package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/partition"
	rec "github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// groups are the groups of vectors.json, made by Kafka's own classes: how many vectors there are at least, and what each is
// checked by.
var groups = map[string]struct {
	least int
	check func(v *vector)
}{
	"partition":           {200, partitioned},
	"murmur3_128":         {50, hashed},
	"timeWindowKey":       {16, timeWindowKey},
	"sessionKey":          {16, sessionKey},
	"change":              {11, change},
	"valueAndTimestamp":   {12, valueAndTimestamp},
	"foreignSubscription": {16, foreignSubscription},
	"foreignResponse":     {6, foreignResponse},
	"outerJoinKey":        {4, outerJoinKey},
	"outerJoinValue":      {4, outerJoinValue},
	"suppressBuffer":      {8, suppressBuffer},
	"recordContext":       {2, recordContext},
	"storeHeaders":        {2, onDiskOnly("headers", "bytes")}, // in a changelog, headers are those of the record
	"versionedSegment":    {4, onDiskOnly("rows", "bytes")},    // in a changelog, a version is a record
	"position":            {2, position},
}

// A vector is one vector of a group. Fields that a check has not asked for fail it.
type vector struct {
	testing.TB
	fields map[string]any
	asked  map[string]bool
}

func TestAllVectorsOfKafkaStreams(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if groups[name].check == nil {
			t.Errorf("nothing checks the group %s", name)
		}
	}
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			if len(all[name]) < group.least {
				t.Errorf("%d vectors, want %d at least", len(all[name]), group.least)
			}
			for i, fields := range all[name] {
				t.Run(strconv.Itoa(i), func(t *testing.T) {
					v := &vector{t, fields, map[string]bool{}}
					group.check(v)
					for field := range fields {
						if !v.asked[field] {
							t.Errorf("nothing checks the field %s", field)
						}
					}
				})
			}
		})
	}
}

// field returns a field as it was decoded.
func (v *vector) field(name string) any { v.asked[name] = true; return v.fields[name] }

func (v *vector) has(name string) bool { _, ok := v.fields[name]; return ok }

func (v *vector) text(name string) string { return v.field(name).(string) }

// null returns the bytes of a text that may be null.
func (v *vector) null(name string) []byte {
	s, ok := v.field(name).(string)
	if !ok {
		return nil
	}
	return []byte(s)
}

func (v *vector) number(name string) int64 {
	n, err := strconv.ParseInt(string(v.field(name).(json.Number)), 10, 64)
	if err != nil {
		v.Fatal(err)
	}
	return n
}

func (v *vector) hex(name string) []byte {
	b, err := hex.DecodeString(v.text(name))
	if err != nil {
		v.Fatal(err)
	}
	return b
}

// same checks bytes.
func (v *vector) same(what string, got, want []byte) {
	v.Helper()
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		v.Errorf("%s: %x, want %x", what, got, want)
	}
}

func (v *vector) check(err error) {
	v.Helper()
	if err != nil {
		v.Error(err)
	}
}

// onDiskOnly is for what Kafka Streams writes to its own disk alone. Millrace never writes it, nor reads it: it takes state over
// from changelogs.
func onDiskOnly(fields ...string) func(v *vector) {
	return func(v *vector) {
		for _, f := range fields {
			v.field(f)
		}
	}
}

func partitioned(v *vector) {
	key := v.hex("key")
	for _, p := range v.field("partitions").([]any) {
		count, _ := p.([]any)[0].(json.Number).Int64()
		want, _ := p.([]any)[1].(json.Number).Int64()
		if got := partition.Of(key, int32(count)); got != int32(want) {
			v.Errorf("key %x of %d partitions: %d, want %d", key, count, got, want)
		}
	}
	hash := int32(v.number("murmur2")) & math.MaxInt32
	if got := partition.Of(key, math.MaxInt32); got != hash%math.MaxInt32 {
		v.Errorf("key %x of all partitions there can be: %d, want %d", key, got, hash)
	}
}

func hashed(v *vector) {
	h := wire.HashOf(v.hex("data"))
	v.same("hash", h[:], v.hex("bytes"))
	for i, half := range []string{"h1", "h2"} {
		if got := strconv.FormatInt(int64(binary.BigEndian.Uint64(h[8*i:])), 10); got != v.text(half) {
			v.Errorf("%s: %s, want %s", half, got, v.text(half))
		}
	}
}

// restored returns the rows that a changelog record says.
func (v *vector) restored(d *decl.Store, e layout.Entry) (rows [][2][]byte) {
	v.Helper()
	w := layout.NewWriter(nil)
	layout.Of(d).Rows(w, &e)
	if w.Err() != nil {
		v.Fatal(w.Err())
	}
	for _, row := range w.Rows() {
		rows = append(rows, [2][]byte{row.Key, row.Value})
	}
	return rows
}

// logged checks that the first row that a changelog record says is logged as that record, and returns its key and value.
func (v *vector) logged(d *decl.Store, e layout.Entry) (key, value []byte) {
	v.Helper()
	row := v.restored(d, e)[0]
	back, ok := layout.Of(d).Record(&rec.Arena{}, row[0], row[1], true, 0)
	if !ok || back.Time != e.Time || len(back.Headers) != len(e.Headers) {
		v.Errorf("logged %v at %d with %v, want %d with %v", ok, back.Time, back.Headers, e.Time, e.Headers)
	}
	v.same("logged key", back.Key, e.Key)
	v.same("logged value", back.Value, e.Value)
	return row[0], row[1]
}

func timeWindowKey(v *vector) {
	key, start := v.text("key"), v.number("start")
	const size = 10 * time.Millisecond
	span := window.Between(time.UnixMilli(start), time.UnixMilli(start).Add(size))
	both(v, window.KeySerde(serde.Bytes, size), window.Key[[]byte]{Key: []byte(key), Span: span}, v.hex("topic"))

	windows := decl.Store{Name: "s", Kind: decl.Window, Size: size, Retention: time.Hour}
	row, _ := v.logged(&windows, layout.Entry{Key: v.hex("store0"), Value: []byte("v"), Time: 7})
	k, at, err := layout.NewWindowKeys(&windows).Split(row)
	v.check(err)
	if string(k) != key || at != start {
		v.Errorf("read as %x from %d", k, at)
	}
	windows.Duplicates = true
	for name, number := range map[string]uint32{"store0": 0, "store1": 1, "store258": 258} {
		row, _ := v.logged(&windows, layout.Entry{Key: v.hex(name), Value: []byte("v"), Time: 7})
		if k, at, n, ok := layout.SplitDuplicate(row); !ok || string(k) != key || at != start || n != number {
			v.Errorf("%s is read as %x from %d, number %d", name, k, at, n)
		}
	}
	onDiskOnly("timeFirst", "keyFirst")(v)
}

func sessionKey(v *vector) {
	key, start, end := v.text("key"), v.number("start"), v.number("end")
	span := window.Between(time.UnixMilli(start), time.UnixMilli(end))
	both(v, window.SessionKeySerde(serde.Bytes), window.Key[[]byte]{Key: []byte(key), Span: span}, v.hex("topic"))

	sessions := decl.Store{Name: "s", Kind: decl.Session, Retention: time.Hour}
	row, _ := v.logged(&sessions, layout.Entry{Key: v.hex("store"), Value: []byte("v"), Time: 7})
	k, from, to, err := layout.NewSessionKeys(&sessions).Split(row)
	v.check(err)
	if string(k) != key || from != start || to != end {
		v.Errorf("read as %x from %d to %d", k, from, to)
	}
	onDiskOnly("timeFirst", "keyFirst")(v)
}

// both checks that a key is written as given, and read back.
func both(v *vector, s serde.Serde[window.Key[[]byte]], k window.Key[[]byte], want []byte) {
	v.Helper()
	b, err := s.Append([]byte{}, k)
	v.check(err)
	v.same("written", b, want)
	back, err := s.Decode(want)
	v.check(err)
	if string(back.Key) != string(k.Key) || back.Span != k.Span {
		v.Errorf("read as %x %v", back.Key, back.Span)
	}
}

func change(v *vector) {
	c := wire.Change{New: v.null("new"), Old: v.null("old")}
	c.HasNew, c.HasOld = c.New != nil, c.Old != nil
	v.same("written", wire.AppendChange(nil, c), v.hex("bytes"))
	back, err := wire.DecodeChange(v.hex("bytes"))
	v.check(err)
	if back.HasNew != c.HasNew || back.HasOld != c.HasOld || !bytes.Equal(back.New, c.New) || !bytes.Equal(back.Old, c.Old) {
		v.Errorf("read as %+v, want %+v", back, c)
	}
}

// What Kafka Streams keeps on disk is the row here, too; the changelog has the value, and the time as timestamp.
func valueAndTimestamp(v *vector) {
	value := []byte{}
	if v.has("int64") {
		value, _ = serde.Int64.Append(nil, v.number("int64"))
	} else {
		value = append(value, v.text("value")...)
	}
	_, row := v.logged(&decl.Store{Name: "s", Kind: decl.KeyValue}, layout.Entry{Key: []byte("k"), Value: value, Time: v.number("ts")})
	v.same("row", row, v.hex("bytes"))
}

func foreignSubscription(v *vector) {
	want := wire.Subscription{Instruction: wire.Instruction(v.number("instruction")), Primary: []byte(v.text("primaryKey")), Partition: int32(v.number("primaryPartition"))}
	if left := v.null("left"); left != nil {
		want.Hash, want.HasHash = wire.HashOf(left), true
	}
	b := v.hex("bytes")
	v.same("written", wire.AppendSubscription(nil, want), b)
	if int64(b[0]&0x7f) != v.number("version") {
		v.Errorf("version %d", b[0]&0x7f)
	}
	got, err := wire.DecodeSubscription(b)
	v.check(err)
	v.same("primary key", got.Primary, want.Primary)
	if got.Primary, want.Primary = nil, nil; got.Instruction != want.Instruction || got.Hash != want.Hash || got.HasHash != want.HasHash || got.Partition != want.Partition {
		v.Errorf("read as %+v, want %+v", got, want)
	}
}

func foreignResponse(v *vector) {
	left, right := v.null("left"), v.null("right")
	var hash wire.Hash
	if left != nil {
		hash = wire.HashOf(left)
	}
	v.same("written", append(wire.AppendResponse(nil, hash, left != nil), right...), v.hex("bytes"))
	got, err := wire.DecodeResponse(v.hex("bytes"))
	v.check(err)
	if got.Hash != hash || got.HasHash != (left != nil) || !bytes.Equal(got.Row, right) {
		v.Errorf("read as %+v", got)
	}
}

// alone runs an outer join that gets records of one side, and returns the changelog of those that wait: the last record. What
// was logged is read again: restored, and sent.
func (v *vector) alone(side, key, value string, ts int64) (k, row []byte) {
	v.Helper()
	text := func(name string) topology.Topic[string, string] {
		return topology.NewTopic(name, serde.String, serde.String)
	}
	b := topology.NewBuilder()
	kstream.From(b, text("left")).OuterJoinStream("j", kstream.From(b, text("right")), window.Within(time.Second).EmitEvery(0),
		func(l string, lok bool, r string, rok bool) string { return l + strconv.FormatBool(lok) + r }).To(text("out"))
	d := kstest.New(v, topology.Must(b.Build()), kstest.ApplicationID("app"))
	d.Input(text(side)).SendAt(time.UnixMilli(ts), key, value)
	logged := d.Output(topology.NewTopic("app-j-outer-shared-join-store-changelog", serde.Bytes, serde.Bytes)).Rest()
	last := logged[len(logged)-1]
	d.Crash()
	d.Input(text(side)).SendAt(time.UnixMilli(ts+10_000), "later", "x")
	want := value + "true"
	if side == "right" {
		want = "false" + value
	}
	sent := d.Output(text("out")).Rest()
	if len(sent) != 1 || sent[0].Key != key || sent[0].Value != want || sent[0].Time.UnixMilli() != ts {
		v.Errorf("after a crash %v is sent, want %s of %s at %d", sent, want, key, ts)
	}
	return last.Key, last.Value
}

func outerJoinKey(v *vector) {
	key, _ := v.alone(v.text("side"), v.text("key"), "v", v.number("ts"))
	v.same("key", key, v.hex("bytes"))
}

// The changelog has lists. Of both sides there never is one, since the side is part of the key: that vector says how values follow
// one another.
func outerJoinValue(v *vector) {
	want := v.hex("bytes")
	list := func(values ...[]byte) []byte {
		b := binary.BigEndian.AppendUint32([]byte{1}, uint32(len(values)))
		for _, value := range values {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
		}
		return b
	}
	switch {
	case v.has("side"):
		_, row := v.alone(v.text("side"), "k", v.text("value"), 5)
		v.same("list of one", row, list(want))
	case v.text("list") == "lv":
		_, row := v.alone("left", "k", "lv", 5)
		v.same("list", row, want)
	default:
		v.same("list of both sides", list([]byte("\x01lv"), []byte("\x00rv")), want)
	}
}

var bufferedHeaders = []rec.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}}

func suppressBuffer(v *vector) {
	want := wire.Buffered{Prior: v.null("prior"), Old: v.null("old"), New: v.null("new")}
	want.Origin = wire.Origin{Time: 100, At: rec.Position{Topic: "in", Offset: 5}}
	if v.field("headers").(bool) {
		want.Headers = bufferedHeaders
	}
	store := decl.Store{Name: "s", Kind: decl.Suppressed}
	key, row := v.logged(&store, layout.Entry{Key: []byte("key"), Value: v.hex("bytes"), Time: 100, Headers: []rec.Header{{Key: "v", Value: []byte{3}}}})
	v.same("key", key, append(layout.AppendWaiting(nil), "key"...))
	until, b := layout.Time(row)
	if until != v.number("bufferTime") {
		v.Errorf("it waits for %d", until)
	}
	v.same("written", wire.AppendBuffered(nil, &want), b)
	got, rest, err := wire.DecodeBuffered(b)
	v.check(err)
	if len(rest) != 0 || got.Time != want.Time || got.At != want.At || !slices.EqualFunc(got.Headers, want.Headers, sameHeader) {
		v.Errorf("read as %+v and %x, want %+v", got, rest, want)
	}
	v.same("prior", got.Prior, want.Prior)
	v.same("old", got.Old, want.Old)
	v.same("new", got.New, want.New)
}

func sameHeader(a, b rec.Header) bool {
	return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
}

func recordContext(v *vector) {
	want := wire.Origin{Time: v.number("ts"), At: rec.Position{Topic: v.text("topic"), Partition: int32(v.number("partition")), Offset: v.number("offset")}}
	if v.text("headers") != "none" {
		want.Headers = bufferedHeaders
	}
	v.same("written", wire.AppendOrigin(nil, &want), v.hex("bytes"))
	got, rest, err := wire.DecodeOrigin(v.hex("bytes"))
	v.check(err)
	if len(rest) != 0 || got.Time != want.Time || got.At != want.At || !slices.EqualFunc(got.Headers, want.Headers, sameHeader) {
		v.Errorf("read as %+v and %x, want %+v", got, rest, want)
	}
}

// Kafka Streams adds positions to the records of changelogs, as headers, where it is asked for consistent queries. Millrace writes
// none, and what it restores does not depend on them.
func position(v *vector) {
	v.text("position")
	headers := []rec.Header{{Key: "v", Value: []byte{0}}, {Key: "c", Value: v.hex("bytes")}}
	for _, d := range []decl.Store{
		{Kind: decl.KeyValue},
		{Kind: decl.Window, Size: time.Second, Retention: time.Hour},
		{Kind: decl.Session, Retention: time.Hour},
		{Kind: decl.Versioned, History: time.Hour},
	} {
		for _, value := range [][]byte{[]byte("v"), nil} {
			e := layout.Entry{Key: make([]byte, 16), Value: value, Time: 7}
			want := v.restored(&d, e)
			e.Headers = headers
			got := v.restored(&d, e)
			if !slices.EqualFunc(got, want, func(a, b [2][]byte) bool { return bytes.Equal(a[0], b[0]) && bytes.Equal(a[1], b[1]) }) {
				v.Errorf("%v: restored %x, want %x", d.Kind, got, want)
			}
		}
	}
}
