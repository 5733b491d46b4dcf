package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// A Case is a topology, what is done to it, and what was seen.
type Case struct {
	Name         string   `json:"name"`
	Family       string   `json:"family"`
	App          string   `json:"app"`
	Config       Config   `json:"config"`
	Topology     []*Node  `json:"topology"`
	Steps        []Step   `json:"steps"`
	TieSensitive bool     `json:"tieSensitive"` // the result depends on which of two heads of equal time goes first
	Expected     Expected `json:"expected"`

	broken error // why the line is no case
}

// Config is the configuration of the app. Times are in milliseconds; an interval of 0 means at every opportunity.
type Config struct {
	CacheBytes        int64  `json:"cacheBytes"`   // 0: tables forward every update at once
	Optimization      string `json:"optimization"` // none, all
	ExplicitNames     bool   `json:"explicitNames"`
	Guarantee         string `json:"guarantee"` // at_least_once, exactly_once_v2
	Stores            string `json:"stores"`    // rocksDB, inMemory
	OuterJoinEmitMs   int64  `json:"outerJoinEmitMs"`
	WindowCloseEmitMs int64  `json:"windowCloseEmitMs"`
	WallClockMs       int64  `json:"wallClockMs"`
}

// A Step pipes a record into a topic, or moves the wall clock.
type Step struct {
	Topic     string       `json:"topic"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Time      int64        `json:"ts"`
	Headers   [][2]*string `json:"headers"`
	AdvanceMs *int64       `json:"advanceMs"`
}

// Expected is what was seen from outside.
type Expected struct {
	Topics  map[string][]Record `json:"topics,omitempty"`
	Stores  map[string]Store    `json:"stores,omitempty"`
	Dropped int                 `json:"dropped"`
	Error   *Error              `json:"error,omitempty"`
}

// A Record is one record of a topic. A nil Key or Value is null; a nil Time was recorded as none.
type Record struct {
	Key     *[]byte  `json:"k"`
	Value   *[]byte  `json:"v"`
	Time    *int64   `json:"t"`
	Headers []Header `json:"h,omitempty"`
	Step    int      `json:"s"` // that caused it; -1: before the first
}

// A Header is one header of a record.
type Header struct {
	Key   string
	Value *[]byte
}

// UnmarshalJSON reads [name, base64 or null].
func (h *Header) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("header %s: want a name and a value", b)
	}
	if err := json.Unmarshal(pair[0], &h.Key); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &h.Value)
}

// A Store is the content of a store, sorted by key bytes, then window.
type Store struct {
	Kind string `json:"kind"` // keyValue, window, session, versioned
	Rows []Row  `json:"rows"`
}

// A Row is a row of a store. Which fields it has depends on the kind of the store.
type Row struct {
	Key    []byte    `json:"k"`
	Window *[2]int64 `json:"w,omitempty"`
	Value  *[]byte   `json:"v,omitempty"`
	Number *int64    `json:"n,omitempty"`
	Time   *int64    `json:"t,omitempty"`

	Latest *Version `json:"latest,omitempty"`
	AsOf   []AsOf   `json:"asOf,omitempty"`
}

// A Version is a version of a key.
type Version struct {
	Value *[]byte `json:"v,omitempty"`
	Time  int64   `json:"t"`
	Until *int64  `json:"to,omitempty"`
}

// An AsOf is the version of a key that held at a time, nil for none.
type AsOf struct {
	Time    int64
	Version *Version
}

// UnmarshalJSON reads [time, version or null].
func (a *AsOf) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("asOf %s: want a time and a version", b)
	}
	if err := json.Unmarshal(pair[0], &a.Time); err != nil {
		return err
	}
	return strict(pair[1], &a.Version)
}

// An Error says in which phase a case ends: build, start, or run with the step.
type Error struct {
	Phase string `json:"phase"`
	Step  *int   `json:"step,omitempty"`
	Class string `json:"class,omitempty"` // for information
	Cause string `json:"cause,omitempty"` // for information
}

// strict decodes JSON without unknown fields.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// check finds what the interpreter has no meaning for.
func (c *Case) check() error {
	one := func(field, value string, of ...string) error {
		if !slices.Contains(of, value) {
			return fmt.Errorf("config %s is %q: want one of %q", field, value, of)
		}
		return nil
	}
	if err := one("optimization", c.Config.Optimization, "none", "all"); err != nil {
		return err
	}
	if err := one("guarantee", c.Config.Guarantee, "at_least_once", "exactly_once_v2"); err != nil {
		return err
	}
	return one("stores", c.Config.Stores, "rocksDB", "inMemory")
}
