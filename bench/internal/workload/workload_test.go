package workload

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"testing"
)

const start = 1_700_000_038_000 // two seconds before a minute ends

// rows is the second input of table-join, by key.
var rows = sync.OnceValue(func() map[string][]byte {
	rows := map[string][]byte{}
	for _, w := range All() {
		in, _ := w.Rows(start)
		for i := range in.Records {
			var r Record
			in.Fill(i, &r)
			rows[string(r.Key)] = r.Value
		}
	}
	return rows
})

// output computes what a right engine writes, in the dumbest way.
func output(w Workload, n int64, everyUpdate bool) []Record {
	in := w.Stream(n, start)
	counts := map[string]uint64{}
	if w.kind == pairing {
		return pairs(w, n)
	}
	var out []Record
	open := map[string]Record{} // sessions
	for i := range n {
		var r Record
		in.Fill(i, &r)
		r.Partition = int32(r.Key[7] % Partitions)
		switch {
		case w.kind == shuffling:
			x := binary.BigEndian.Uint64(r.Value)
			if x%5 != 0 {
				continue
			}
			r.Key = binary.BigEndian.AppendUint64(nil, x/5%w.keys)
			r.Partition = int32(r.Key[7] % Partitions)
			counts[string(r.Key)]++
			if counts[string(r.Key)]%10 != 0 {
				continue
			}
			r.Value = binary.BigEndian.AppendUint64(nil, counts[string(r.Key)])
		case w.kind == sessioning:
			key, from, n := string(r.Key), r.Time, uint64(1)
			if before, ok := open[key]; ok && r.Time-before.Time <= 10_000 {
				from, n = int64(binary.BigEndian.Uint64(before.Key[16:])), binary.BigEndian.Uint64(before.Value)+1
				before.Value = nil
				out = append(out, before)
			}
			r.Key = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(r.Key, uint64(r.Time)), uint64(from))
			r.Value = binary.BigEndian.AppendUint64(nil, n)
			open[key] = r
		case w.Name == "copy":
			r.Value[0] = ^r.Value[0]
		case w.Name == "table-join":
			r.Value = append(r.Value, rows()[string(r.Key)]...)
		default:
			if w.Name == "window" {
				r.Key = binary.BigEndian.AppendUint64(r.Key, uint64(r.Time/60_000*60_000))
			}
			counts[string(r.Key)]++
			r.Value = binary.BigEndian.AppendUint64(nil, counts[string(r.Key)])
		}
		out = append(out, r)
	}
	if everyUpdate {
		return out
	}
	if w.kind == sessioning {
		return lastSessions(out)
	}
	var last []Record // one commit half way, one at the end
	for _, half := range [][]Record{out[:n/2], out[n/2:]} {
		at := map[string]int{}
		for _, r := range half {
			if i, ok := at[string(r.Key)]; ok {
				last[i] = r
				continue
			}
			at[string(r.Key)] = len(last)
			last = append(last, r)
		}
	}
	return last
}

// lastSessions drops the rows that are deleted again, as a cache does that commits once.
func lastSessions(out []Record) (last []Record) {
	gone := map[string]bool{}
	for _, r := range out {
		if r.Value == nil {
			gone[string(r.Key)] = true
		}
	}
	for _, r := range out {
		if !gone[string(r.Key)] {
			last = append(last, r)
		}
	}
	return last
}

// pairs computes what a right join of two streams writes: every record is compared with every other of its key.
func pairs(w Workload, n int64) (out []Record) {
	in := w.Stream(n, start)
	mates, _ := w.Mates(n, start)
	streams, others := map[string][]Record{}, map[string][]Record{}
	meet := func(key string, now Record, before []Record, join func(other Record) []byte) {
		for _, b := range before {
			if now.Time-b.Time <= 10_000 {
				out = append(out, Record{Partition: int32(key[7] % Partitions), Key: []byte(key), Value: join(b), Time: now.Time})
			}
		}
	}
	for i := range n {
		var a, b Record
		in.Fill(i, &a)
		meet(string(a.Key), a, others[string(a.Key)], func(o Record) []byte { return slices.Concat(a.Value, o.Value) })
		streams[string(a.Key)] = append(streams[string(a.Key)], a)
		mates.Fill(i, &b)
		meet(string(b.Key), b, streams[string(b.Key)], func(o Record) []byte { return slices.Concat(o.Value, b.Value) })
		others[string(b.Key)] = append(others[string(b.Key)], b)
	}
	return out
}

func check(w Workload, n int64, everyUpdate bool, out []Record) error {
	c := w.Checker(n, start, everyUpdate)
	for i := range out {
		if err := c.Check(&out[i]); err != nil {
			return err
		}
	}
	return c.Complete()
}

const (
	n   = 10_000 // more than one window, more than one mark, and keys that repeat
	few = 5_000  // with a key that repeats in every workload of keys
)

func TestRightOutputPasses(t *testing.T) {
	for _, w := range All() {
		for _, everyUpdate := range []bool{true, false} {
			if !everyUpdate && !strings.HasPrefix(w.Name, "count") && w.Name != "window" && w.Name != "session" {
				continue
			}
			out := output(w, n, everyUpdate)
			c := w.Checker(n, start, everyUpdate)
			for i := range out {
				if err := c.Check(&out[i]); err != nil {
					t.Fatalf("%s, every update %v: %v", w.Name, everyUpdate, err)
				}
			}
			if err := c.Complete(); err != nil {
				t.Errorf("%s, every update %v: %v", w.Name, everyUpdate, err)
			}
			if c.Records() != int64(len(out)) {
				t.Errorf("%s: %d records checked of %d", w.Name, c.Records(), len(out))
			}
		}
	}
}

func copied(out []Record) []Record {
	out = slices.Clone(out)
	for i := range out {
		out[i].Key, out[i].Value = slices.Clone(out[i].Key), slices.Clone(out[i].Value)
	}
	return out
}

// at is the place of an output with a value, in the midst of others.
func at(out []Record) int {
	return 777 + slices.IndexFunc(out[777:], func(r Record) bool { return r.Value != nil })
}

// TestWrongOutputIsRefused damages a right output in every way an engine could.
func TestWrongOutputIsRefused(t *testing.T) {
	var w Workload
	damage := map[string]func(out []Record) []Record{
		"a record lost":        func(out []Record) []Record { return append(out[:at(out)], out[at(out)+1:]...) },
		"the last record lost": func(out []Record) []Record { return out[:len(out)-1] },
		"a record repeated": func(out []Record) []Record {
			return append(append(out[:at(out)+1:at(out)+1], out[at(out)]), out[at(out)+1:]...)
		},
		"all repeated":    func(out []Record) []Record { return append(out, out...) },
		"nothing written": func([]Record) []Record { return nil },
		"a byte of a value flipped": func(out []Record) []Record {
			out[at(out)].Value[len(out[at(out)].Value)-1] ^= 1
			return out
		},
		"the first byte of a value flipped": func(out []Record) []Record {
			out[at(out)].Value[0] ^= 0xff
			return out
		},
		"another record's key": func(out []Record) []Record {
			for i := range out[at(out)+1:] {
				if !bytes.Equal(out[at(out)].Key, out[at(out)+1+i].Key) {
					out[at(out)].Key = out[at(out)+1+i].Key
					return out
				}
			}
			panic("all keys are equal")
		},
		"a key cut":   func(out []Record) []Record { out[at(out)].Key = out[at(out)].Key[1:]; return out },
		"a tombstone": func(out []Record) []Record { out[at(out)].Value = nil; return out },
		"a stray key": func(out []Record) []Record {
			out[at(out)].Key = append(appendKey(nil, 1<<40), out[at(out)].Key[KeyBytes:]...)
			return out
		},
		"two of a partition swapped": func(out []Record) []Record {
			before := map[string]int{} // by what keeps its order: the key of a count, else the partition
			for i, r := range out {
				place := string(r.Key)
				if len(r.Value) > 8 && w.kind != pairing {
					place = string(rune(r.Partition))
				}
				if w.kind == sessioning {
					place = string(r.Key[:KeyBytes])
				}
				if j, ok := before[place]; ok {
					out[i], out[j] = out[j], out[i]
					return out
				}
				before[place] = i
			}
			panic("no two records to swap")
		},
	}
	for _, w = range All() {
		if w.Name == "shuffle-100k" {
			continue // ten records per rule are more than a test wants; the checker is that of shuffle
		}
		few := int64(few)
		if w.kind == shuffling {
			few *= 20
		}
		right := output(w, few, true)
		for what, f := range damage {
			if err := check(w, few, true, f(copied(right))); err == nil {
				t.Errorf("%s: %s passes", w.Name, what)
			}
		}
		if w.Name != "copy" && w.kind != counting {
			continue // headers are not forwarded
		}
		out := output(w, few, true)
		for i := range out {
			out[i].Marked = false
		}
		if err := check(w, few, true, out); err == nil || !strings.Contains(err.Error(), "headers") {
			t.Errorf("%s: headers dropped: got %v", w.Name, err)
		}
	}
}

func TestPerCommitCountsMayOmitButNotGoBackNorEndShort(t *testing.T) {
	w, err := Named("count-1k")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(w, n, true, output(w, n, false)); err == nil {
		t.Error("one output per commit passes for every update")
	}
	out := output(w, n, false)
	if err := check(w, n, false, out[:len(out)-1]); err == nil {
		t.Error("a missing last count passes")
	}
	var again []Record // 3 5 of one key, written as 3 5 3 5
	for _, r := range out {
		if bytes.Equal(r.Key, out[0].Key) {
			again = append(again, r)
		}
	}
	if err := check(w, n, false, append(out[:len(out):len(out)], again...)); err == nil || !strings.Contains(err.Error(), "want more") {
		t.Errorf("a count that goes back: got %v", err)
	}
	last := out[len(out)-1]
	high := last
	high.Value = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(last.Value)+1<<32)
	if err := check(w, n, false, append(out[:len(out)-1:len(out)-1], high)); err == nil || !strings.Contains(err.Error(), "but only") {
		t.Errorf("a count that is too high by 2^32: got %v", err)
	}
}

func TestWindowStartsThatAreNoneAreRefused(t *testing.T) {
	w, err := Named("window")
	if err != nil {
		t.Fatal(err)
	}
	for _, ms := range []uint64{0, 1, start, start/60_000*60_000 - 60_000, start/60_000*60_000 + 600_000, 1 << 63} {
		r := Record{Key: binary.BigEndian.AppendUint64(appendKey(nil, 3), ms), Value: make([]byte, 8)}
		if err := w.Checker(n, start, true).Check(&r); err == nil || !strings.Contains(err.Error(), "is no window's") {
			t.Errorf("window start %d: got %v", ms, err)
		}
	}
}

func TestNumbersComeBackFromKeysAndValues(t *testing.T) {
	for _, i := range []uint64{0, 1, 2, 999_999, 1 << 33, 1<<64 - 1} {
		if got := unmix(mix(i)); got != i {
			t.Errorf("unmix(mix(%d)) = %d", i, got)
		}
		if got := keyID(appendKey(nil, i)); got != i {
			t.Errorf("key %d comes back as %d", i, got)
		}
		if got := valueID(appendValue(nil, saltRow, i), saltRow); got != i {
			t.Errorf("value %d comes back as %d", i, got)
		}
	}
}

func TestInputsAreOfTheContractsSizeAndSpread(t *testing.T) {
	for _, w := range All() {
		in := w.Stream(n, start)
		var r Record
		distinct := map[string]bool{}
		ones := 0
		for i := range in.Records {
			in.Fill(i, &r)
			want := 100
			if strings.HasPrefix(w.Name, "shuffle") {
				want = 1024
			}
			if len(r.Key) != 8 || len(r.Value) != want {
				t.Fatalf("%s: key of %d bytes, value of %d", w.Name, len(r.Key), len(r.Value))
			}
			distinct[string(r.Key)] = true
			ones += int(r.Value[99] & 1)
		}
		// Expected distinct keys of n draws from k: k·(1-e^(-n/k)).
		want := map[string]int{
			"copy": n, "count-1k": 1_000, "count-100k": 9_516, "count-1m": 9_950, "window": 6_321, "table-join": 9_516,
			"session": 6_321, "stream-join": 6_321, "shuffle": n, "shuffle-100k": n,
		}[w.Name]
		if d := len(distinct) - want; d < -want/100 || d > want/100 {
			t.Errorf("%s: %d distinct keys, want about %d", w.Name, len(distinct), want)
		}
		if ones < n*49/100 || ones > n*51/100 {
			t.Errorf("%s: values are not random: %d of %d last bits are set", w.Name, ones, n)
		}
	}
}

func TestRowsCoverAllKeysAndAreOlderThanTheStream(t *testing.T) {
	w, err := Named("table-join")
	if err != nil {
		t.Fatal(err)
	}
	in, ok := w.Rows(start)
	if !ok || in.Records != 100_000 {
		t.Fatalf("%v, %d rows", ok, in.Records)
	}
	var r, first Record
	w.Stream(n, start).Fill(0, &first)
	keys := map[string]bool{}
	for i := range in.Records {
		in.Fill(i, &r)
		keys[string(r.Key)] = true
		if r.Time >= first.Time {
			t.Fatalf("row %d is of %d, the stream begins at %d", i, r.Time, first.Time)
		}
	}
	if len(keys) != 100_000 {
		t.Errorf("%d distinct rows", len(keys))
	}
	if _, ok := All()[0].Rows(start); ok {
		t.Error("copy has a table")
	}
}

func TestAnUnknownWorkloadIsAnErrorThatNamesTheKnownOnes(t *testing.T) {
	if _, err := Named("sort"); err == nil || !strings.Contains(err.Error(), `"sort"`) || !strings.Contains(err.Error(), "table-join") {
		t.Errorf("got %v", err)
	}
}
