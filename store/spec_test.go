package store_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

func TestASpecCarriesWhatWasDeclaredAndWhere(t *testing.T) {
	spec := store.NewWindow("w", serde.String, serde.Int64, time.Minute, time.Hour,
		store.InMemory(), store.NoChangelog(), store.NoCache(), store.Retention(2*time.Hour),
		store.SegmentInterval(time.Minute), store.Duplicates(),
		store.TopicConfig("a", "1"), store.TopicConfig("b", "2"), store.TopicConfig("a", "3"))
	d := spec.Decl()
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	if spec.Name() != "w" || d.Name != "w" || d.Kind != decl.Window || !strings.HasPrefix(d.At, "spec_test.go:") {
		t.Errorf("declared %v %q at %s", d.Kind, d.Name, d.At)
	}
	if !d.InMemory || !d.NoChangelog || !d.NoCache || d.Size != time.Minute || d.Retention != 2*time.Hour || d.Segment != time.Minute || !d.Duplicates {
		t.Errorf("declared %+v", d)
	}
	if !maps.Equal(d.TopicConfig, map[string]string{"a": "3", "b": "2"}) {
		t.Errorf("topic configs are %v", d.TopicConfig)
	}
}

func TestRowsAreForgottenByUseAndByAge(t *testing.T) {
	d := store.NewKeyValue("kv", serde.String, serde.Int64, store.LRU(5), store.TTL(time.Second), store.Headers()).Decl()
	if d.LRU != 5 || d.TTL != time.Second || !d.Headers || d.Err != nil {
		t.Errorf("declared %+v", d)
	}
}

func TestKindsOfStores(t *testing.T) {
	kv := store.NewKeyValue("kv", serde.String, serde.Int64, store.History(time.Hour)).Decl()
	s := store.NewSession("s", serde.String, serde.Int64, time.Hour).Decl()
	v := store.NewVersioned("v", serde.String, serde.Int64, time.Minute).Decl()
	if kv.Kind != decl.Versioned || kv.History != time.Hour || kv.Err != nil {
		t.Errorf("%+v", kv)
	}
	if s.Kind != decl.Session || s.Retention != time.Hour || s.Err != nil {
		t.Errorf("%+v", s)
	}
	if v.Kind != decl.Versioned || v.History != time.Minute || v.Err != nil {
		t.Errorf("%+v", v)
	}
}

func TestANilSerdeIsTheBuiltInOne(t *testing.T) {
	d := store.NewKeyValue[string, int64]("s", nil, nil).Decl()
	if d.Err != nil || d.Key != any(serde.String) || d.Value != any(serde.Int64) {
		t.Errorf("serdes are %T, %T: %v", d.Key, d.Value, d.Err)
	}
}

func TestWhatIsWrongWithADeclarationIsKept(t *testing.T) {
	type place struct{ X int }
	for want, d := range map[string]*decl.Store{
		"no serde for key type store_test.place":                        store.NewKeyValue[place, string]("s", nil, nil).Decl(),
		"no serde for value type store_test.place":                      store.NewKeyValue[string, place]("s", nil, nil).Decl(),
		"written as null":                                               store.NewKeyValue[string, struct{}]("s", nil, nil).Decl(),
		"LRU(0): the number of rows must be positive":                   store.NewKeyValue("s", serde.String, serde.Int64, store.LRU(0)).Decl(),
		"TTL(1µs): must be at least 1ms":                                store.NewKeyValue("s", serde.String, serde.Int64, store.TTL(time.Microsecond)).Decl(),
		"History(0s): must be at least 1ms":                             store.NewKeyValue("s", serde.String, serde.Int64, store.History(0)).Decl(),
		"the name of the config is empty":                               store.NewKeyValue("s", serde.String, serde.Int64, store.TopicConfig("", "1")).Decl(),
		"size(0s): must be at least 1ms":                                store.NewWindow("s", serde.String, serde.Int64, 0, time.Hour).Decl(),
		"retention 1s is less than the windows' size 1m0s":              store.NewWindow("s", serde.String, serde.Int64, time.Minute, time.Second).Decl(),
		"retention(0s): must be at least 1ms":                           store.NewSession("s", serde.String, serde.Int64, 0).Decl(),
		"history(-1s): must be at least 1ms":                            store.NewVersioned("s", serde.String, serde.Int64, -time.Second).Decl(),
		"Retention is for window and session stores":                    store.NewKeyValue("s", serde.String, serde.Int64, store.Retention(time.Hour)).Decl(),
		"SegmentInterval is for stores whose rows expire":               store.NewKeyValue("s", serde.String, serde.Int64, store.SegmentInterval(time.Hour)).Decl(),
		"SegmentInterval(0s): must be at least 1ms":                     store.NewWindow("s", serde.String, serde.Int64, time.Minute, time.Hour, store.SegmentInterval(0)).Decl(),
		"Duplicates is for window stores":                               store.NewSession("s", serde.String, serde.Int64, time.Hour, store.Duplicates()).Decl(),
		"1.0005s is not a whole number of milliseconds":                 store.NewSession("s", serde.String, serde.Int64, 1000500*time.Microsecond).Decl(),
		"History is for tables and versioned stores, this is a session": store.NewSession("s", serde.String, serde.Int64, time.Hour, store.History(time.Hour)).Decl(),
	} {
		if d.Err == nil || !strings.Contains(d.Err.Error(), want) || !strings.Contains(d.Err.Error(), `store "s"`) {
			t.Errorf("error is %v, want %q", d.Err, want)
		}
	}
}

func TestTheZeroSpecAndOptionAreHarmless(t *testing.T) {
	var spec store.KeyValueSpec[string, int64]
	if spec.Name() != "" || spec.Decl() != nil {
		t.Errorf("the zero spec declares %v", spec.Decl())
	}
	d := store.NewKeyValue("s", serde.String, serde.Int64, store.Option{}).Decl()
	if d.Err != nil {
		t.Error(d.Err)
	}
}
