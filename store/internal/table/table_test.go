package table

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A model is what a table must show, as plain maps: rows with the prefix of their part.
type model struct {
	t         *Table
	rng       *rand.Rand
	rows      map[string]string // as reads see them
	committed map[string]string
	disk      map[string]string
	flights   []flight // committed, not on disk yet
	dirty     []string
	marks     []mark
	log       []string // of the last steps
}

type flight struct {
	epoch uint32
	rows  map[string]string
}

type mark struct {
	at    int
	rows  map[string]string
	dirty []string
}

var prefixes = [][PrefixLen]byte{{0, 1}, {0, 7}}

func newModel(seed uint64) *model {
	return &model{t: New(prefixes...), rng: rand.New(rand.NewPCG(seed, 1)), rows: map[string]string{}, committed: map[string]string{}, disk: map[string]string{}}
}

func (m *model) key() string {
	p := prefixes[m.rng.IntN(len(prefixes))]
	return string(p[:]) + fmt.Sprintf("k%d", m.rng.IntN(60))
}

// entry returns the entry of a key, from disk if the table has none.
func (m *model) entry(key string) Ref {
	r := m.t.Find([]byte(key))
	if r == 0 {
		v, ok := m.disk[key]
		r = m.t.Fill([]byte(key), []byte(v), ok)
	}
	return r
}

func (m *model) step() error {
	switch k := m.rng.IntN(100); {
	case k < 40:
		key := m.key()
		value := strings.Repeat(string(rune('a'+m.rng.IntN(26))), m.rng.IntN(40))
		if m.rng.IntN(50) == 0 {
			value = strings.Repeat("long", 1+m.rng.IntN(8000))
		}
		m.write(key, value, true)
	case k < 50:
		m.write(m.key(), "", false)
	case k < 70:
		key := m.key()
		value, ok := m.t.Use(m.entry(key))
		if want, has := m.rows[key]; string(value) != want && has || ok != has {
			return fmt.Errorf("%q is %.20q %v, want %.20q %v", key, value, ok, want, has)
		}
	case k < 75:
		m.log = append(m.log, "mark")
		m.marks = append(m.marks, mark{m.t.Mark(), maps.Clone(m.rows), slices.Clone(m.dirty)})
	case k < 79 && len(m.marks) > 0:
		i := m.rng.IntN(len(m.marks))
		m.log = append(m.log, fmt.Sprintf("rollback to %d", i))
		s := m.marks[i]
		m.t.Rollback(s.at)
		m.marks = m.marks[:i+1]
		m.rows, m.dirty = maps.Clone(s.rows), slices.Clone(s.dirty)
	case k < 82:
		m.log = append(m.log, "abort")
		m.t.Abort()
		m.rows, m.dirty, m.marks = maps.Clone(m.committed), nil, nil
	case k < 90:
		m.log = append(m.log, "commit")
		if err := m.checkDirty(); err != nil {
			return err
		}
		m.flights = append(m.flights, flight{m.t.Open(), maps.Clone(m.rows)})
		m.t.Commit()
		m.committed, m.dirty, m.marks = maps.Clone(m.rows), nil, nil
		m.t.Evict(int64(m.rng.IntN(200 << 10)))
	case k < 94 && len(m.flights) > 0:
		n := 1 + m.rng.IntN(len(m.flights))
		m.log = append(m.log, fmt.Sprintf("landed %d", n))
		m.disk = m.flights[n-1].rows
		m.t.Landed(m.flights[n-1].epoch)
		m.flights = m.flights[n:]
	case k < 96 && len(m.dirty) == 0:
		m.load()
	case k < 98:
		return m.scan()
	case len(m.dirty) == 0 && m.rng.IntN(3) == 0:
		m.renumber()
	}
	return m.t.Check()
}

func (m *model) write(key, value string, live bool) {
	m.log = append(m.log, fmt.Sprintf("write %q %d %v", key, len(value), live))
	r := m.entry(key)
	if live {
		m.t.Set(m.t.Part([]byte(key)), r, []byte(value))
		m.rows[key] = value
	} else {
		m.t.Delete(m.t.Part([]byte(key)), r)
		delete(m.rows, key)
	}
	if !slices.Contains(m.dirty, key) {
		m.dirty = append(m.dirty, key)
	}
}

func (m *model) load() {
	m.marks = nil
	m.t.Abort() // savepoints without writes
	for range m.rng.IntN(20) {
		key, value := m.key(), strings.Repeat("l", m.rng.IntN(30))
		live := m.rng.IntN(4) > 0
		m.log = append(m.log, fmt.Sprintf("load %q %v", key, live))
		m.t.Load(1, func(int) Row { return Row{m.t.Part([]byte(key)), []byte(key), []byte(value), live} })
		if live {
			m.rows[key] = value
		} else {
			delete(m.rows, key)
		}
	}
	epoch := m.t.Open()
	m.t.Settle(func(key, value []byte, live bool) {})
	m.committed = maps.Clone(m.rows)
	m.flights = append(m.flights, flight{epoch, maps.Clone(m.rows)})
}

func (m *model) renumber() {
	m.log = append(m.log, "renumber")
	m.t.Abort()
	m.marks = nil
	m.t.Landed(m.t.Open() - 1)
	m.disk, m.flights = maps.Clone(m.committed), nil
	m.t.Renumber()
}

func (m *model) checkDirty() error {
	var got []string
	for i := range m.t.Dirties() {
		r := m.t.Dirty(i)
		key := string(m.t.Key(r))
		got = append(got, key)
		before, had := m.t.Before(i)
		if want, has := m.committed[key]; had != has || has && string(before) != want {
			return fmt.Errorf("before its first write %q was %.20q %v, the table says %.20q %v", key, want, has, before, had)
		}
		value, live := m.t.Value(r)
		if want, has := m.rows[key]; live != has || has && string(value) != want {
			return fmt.Errorf("dirty %q is %.20q %v, want %.20q %v", key, value, live, want, has)
		}
	}
	if !slices.Equal(got, m.dirty) {
		return fmt.Errorf("dirty rows %q, want %q", got, m.dirty)
	}
	return nil
}

// scan merges what disk has with what the table has in order, and compares.
func (m *model) scan() error {
	part := m.rng.IntN(len(prefixes))
	prefix := string(prefixes[part][:])
	reverse := m.rng.IntN(2) == 0
	m.log = append(m.log, fmt.Sprintf("scan %d %v", part, reverse))
	var from []byte
	if !reverse {
		from = []byte(prefix)
	}
	got := map[string]string{}
	for k, v := range m.disk {
		if strings.HasPrefix(k, prefix) {
			got[k] = v
		}
	}
	c := m.t.Seek(part, from, reverse)
	var at []byte
	for begun := false; ; begun = true {
		r := c.Peek(at, begun)
		if r == 0 {
			break
		}
		key := m.t.Key(r)
		if begun && (string(key) > string(at)) == reverse || string(key) == string(at) {
			return fmt.Errorf("the cursor goes from %q to %q", at, key)
		}
		at = append(at[:0], key...)
		if value, live := m.t.Value(r); live {
			got[string(key)] = string(value)
		} else {
			delete(got, string(key))
		}
		c.Step()
		if m.rng.IntN(10) == 0 {
			m.write(string(at), "while scanning", true)
		}
		if m.rng.IntN(10) == 0 { // behind the cursor: it must not be seen, nor put the cursor off
			behind := prefix + "a"
			if reverse {
				behind = prefix + "z"
			}
			behind += fmt.Sprint(m.rng.IntN(100))
			m.write(behind, "behind", true)
			got[behind] = "behind"
		}
	}
	for k, v := range m.rows {
		if strings.HasPrefix(k, prefix) && v != "while scanning" && v != "behind" && got[k] != v {
			return fmt.Errorf("the scan shows %q as %.20q, want %.20q", k, got[k], v)
		}
	}
	for k := range got {
		if _, ok := m.rows[k]; !ok {
			return fmt.Errorf("the scan shows %q, which is deleted", k)
		}
	}
	return m.t.Check()
}

func TestATableShowsWhatPlainMapsShow(t *testing.T) {
	for seed := range uint64(30) {
		m := newModel(seed)
		for n := range 3000 {
			if err := m.step(); err != nil {
				t.Fatalf("seed %d, step %d: %v\nafter %q", seed, n, err, m.log[max(0, len(m.log)-12):])
			}
		}
		m.t.Close()
	}
}

// FuzzTable has the input choose the steps.
func FuzzTable(f *testing.F) {
	f.Add(uint64(1), 500)
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		m := newModel(seed)
		for n := range min(steps, 5000) {
			if err := m.step(); err != nil {
				t.Fatalf("step %d: %v\nafter %q", n, err, m.log[max(0, len(m.log)-12):])
			}
		}
		m.t.Close()
	})
}

func TestEntriesThatDiskLacksOutliveEveryEviction(t *testing.T) {
	tab := New([2]byte{0, 1})
	for i := range 10_000 {
		key := fmt.Appendf([]byte{0, 1}, "%d", i)
		tab.Set(0, tab.Fill(key, nil, false), make([]byte, 100))
	}
	tab.Commit()
	tab.Evict(0)
	if tab.Len() != 10_000 {
		t.Fatalf("%d of 10,000 committed entries are left", tab.Len())
	}
	tab.Landed(tab.Open() - 1)
	tab.Evict(0)
	if tab.Len() > 2_000 || tab.Bytes() > 500<<10 {
		t.Fatalf("%d entries and %d bytes are left of a table that disk has", tab.Len(), tab.Bytes())
	}
}

func TestARowUsedAgainGetsASecondChance(t *testing.T) {
	tab := New([2]byte{0, 1})
	key := func(i int) []byte { return fmt.Appendf([]byte{0, 1}, "%d", i) }
	for i := range 5_000 {
		tab.Fill(key(i), make([]byte, 50), true)
		tab.Use(tab.Find(key(i)))
	}
	for i := range 100 {
		tab.Use(tab.Find(key(i)))
	}
	tab.Evict(tab.Bytes() / 2)
	for i := range 100 {
		if tab.Find(key(i)) == 0 {
			t.Fatalf("row %d was used twice and is evicted first", i)
		}
	}
	if tab.Find(key(200)) != 0 {
		t.Error("row 200 was used once and stays")
	}
	if err := tab.Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkHit(b *testing.B) {
	const keys = 1_000_000
	tab := New([2]byte{0, 1})
	key := append([]byte{0, 1}, make([]byte, 8)...)
	for i := range keys {
		putKey(key, i)
		tab.Fill(key, make([]byte, 16), true)
	}
	b.ReportMetric(float64(tab.Bytes())/keys, "B/entry")
	rng := rand.New(rand.NewPCG(1, 2))
	b.ResetTimer()
	for range b.N {
		putKey(key, rng.IntN(keys))
		if r := tab.Find(key); r == 0 {
			b.Fatal("missing")
		} else {
			tab.Use(r)
		}
	}
}

func putKey(key []byte, i int) {
	x := uint64(i)
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	for j := range 8 {
		key[2+j] = byte(x >> (8 * j))
	}
}
