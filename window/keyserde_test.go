package window_test

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/window"
)

//go:embed testdata/keys.tsv
var kafkaKeys string

const size = 10 * time.Second

func TestWindowedKeysHaveTheBytesOfKafkaStreams(t *testing.T) {
	count := map[string]int{}
	for line := range strings.Lines(kafkaKeys) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		start, _ := strconv.ParseInt(f[2], 10, 64)
		s, span := window.KeySerde(serde.String, size), window.Between(time.UnixMilli(start), time.UnixMilli(start).Add(size))
		if f[0] == "session" {
			end, _ := strconv.ParseInt(f[3], 10, 64)
			s, span = window.SessionKeySerde(serde.String), window.Between(time.UnixMilli(start), time.UnixMilli(end))
		}
		count[f[0]]++
		key := window.Key[string]{Key: f[1], Span: span}
		want, err := hex.DecodeString(f[4])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Append([]byte("before"), key); err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("%q: Append = %x, %v; want %s", line, got, err, f[4])
		}
		if got, err := s.Decode(want); err != nil || got != key {
			t.Errorf("%q: Decode = %v, %v; want %v", line, got, err, key)
		}
	}
	if count["time"] != 16 || count["session"] != 16 {
		t.Errorf("cases: %v", count)
	}
}

func TestWindowWithoutEndIsCutAtTheLastInstant(t *testing.T) {
	src := append([]byte("k"), 0, 0, 0, 0, 0, 0, 0, 2)
	k, err := window.KeySerde(serde.String, math.MaxInt64).Decode(src)
	if err != nil || k.End().UnixMilli() != math.MaxInt64 {
		t.Errorf("%v, %v", k.End(), err)
	}
	src = append([]byte("k"), 0x7f, 255, 255, 255, 255, 255, 255, 255)
	k, err = window.KeySerde(serde.String, size).Decode(src)
	if err != nil || k.End().UnixMilli() != math.MaxInt64 {
		t.Errorf("%v, %v", k.End(), err)
	}
}

func TestBadWindowedKeysAreRefused(t *testing.T) {
	timed, session := window.KeySerde(serde.Int16, size), window.SessionKeySerde(serde.Int16)
	negative := window.KeySerde(serde.Int16, -time.Second)
	before1970 := window.Between(time.UnixMilli(-5), time.UnixMilli(5))
	backwards := window.Between(time.UnixMilli(7), time.UnixMilli(5))
	ok := window.Between(time.UnixMilli(5), time.UnixMilli(7))
	bad := window.KeySerde(serde.Func[int16](nil, nil), size)
	badSession := window.SessionKeySerde(serde.Func[int16](nil, nil))
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"short", "window: a windowed key wants at least 8 bytes, got 7", decode(timed, make([]byte, 7))},
		{"negative start", "window: a windowed key starts before 1970, at -1 ms", decode(timed, bytes.Repeat([]byte{255}, 10))},
		{"wrong key", "window: key of a windowed key: serde: int16 wants 2 bytes, got 1", decode(timed, make([]byte, 9))},
		{"negative size", "window: KeySerde was given a negative window size of -1000 ms", decode(negative, make([]byte, 10))},
		{"session, short", "window: a session key wants at least 16 bytes, got 15", decode(session, make([]byte, 15))},
		{"session, backwards", "window: a session key wants 0 <= start <= end, got start 256 ms, end 0 ms", decode(session, append(make([]byte, 16), 1, 0))},
		{"session, negative", "window: a session key wants 0 <= start <= end, got start -1 ms, end -1 ms", decode(session, bytes.Repeat([]byte{255}, 18))},
		{"session, wrong key", "window: key of a session key: serde: int16 wants 2 bytes, got 1", decode(session, make([]byte, 17))},
		{"write negative start", "window: a windowed key starts before 1970, at -5 ms", appendErr(timed, before1970)},
		{"write negative size", "window: KeySerde was given a negative window size of -1000 ms", appendErr(negative, ok)},
		{"write negative session", "window: a session key wants 0 <= start <= end, got start -5 ms, end 5 ms", appendErr(session, before1970)},
		{"write backward session", "window: a session key wants 0 <= start <= end, got start 7 ms, end 5 ms", appendErr(session, backwards)},
		{"write wrong key", "window: key of a windowed key: serde: write int16: no function was given for this direction", appendErr(bad, ok)},
		{"write wrong session key", "window: key of a session key: serde: write int16: no function was given for this direction", appendErr(badSession, ok)},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, c.err, c.want)
		}
	}
}

func decode(s serde.Serde[window.Key[int16]], src []byte) error {
	_, err := s.Decode(src)
	return err
}

func appendErr(s serde.Serde[window.Key[int16]], span window.Span) error {
	_, err := s.Append(nil, window.Key[int16]{Span: span})
	return err
}

// bound is a serde that fails with what it was bound to.
type bound struct{ serde.Serde[string] }

func (b bound) ForTopic(topic string, part serde.Part) serde.Serde[string] {
	return serde.Func(func([]byte, string) ([]byte, error) { return nil, errors.New(fmt.Sprint(topic, " ", part)) }, nil)
}

func TestWindowedKeysBindTheSerdeOfTheirKey(t *testing.T) {
	for _, s := range []serde.Serde[window.Key[string]]{window.KeySerde[string](bound{serde.String}, size), window.SessionKeySerde[string](bound{serde.String})} {
		k := window.Key[string]{Key: "k", Span: window.Between(time.UnixMilli(0), time.UnixMilli(1))}
		if _, err := s.Append(nil, k); err != nil {
			t.Errorf("unbound: %v", err)
		}
		_, err := s.(serde.Bound[window.Key[string]]).ForTopic("orders", serde.Key).Append(nil, k)
		if err == nil || !strings.HasSuffix(err.Error(), "orders key") {
			t.Errorf("error %v, want that of the bound serde", err)
		}
	}
	s := window.KeySerde(serde.String, size).(serde.Bound[window.Key[string]]).ForTopic("orders", serde.Key)
	if k, err := s.Decode(make([]byte, 8)); err != nil || k.End().UnixMilli() != size.Milliseconds() {
		t.Errorf("%v, %v", k.End(), err)
	}
}

func fuzz(f *testing.F, s serde.Serde[window.Key[string]]) {
	f.Add([]byte{})
	f.Add([]byte("key\x00\x00\x01\x8b\xcf\xe5\x68\x0a\x00\x00\x01\x8b\xcf\xe5\x68\x00"))
	f.Add(bytes.Repeat([]byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, 3))
	f.Fuzz(func(t *testing.T, src []byte) {
		k, err := s.Decode(src)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "window: ") {
				t.Errorf("error without package: %v", err)
			}
			return
		}
		if k.End().Before(k.Start()) {
			t.Errorf("%x ends before it starts: %v", src, k)
		}
		if again, err := s.Append(nil, k); err != nil || !bytes.Equal(again, src) {
			t.Errorf("%x was read as %v and written as %x, %v", src, k, again, err)
		}
	})
}

func FuzzKeySerde(f *testing.F)        { fuzz(f, window.KeySerde(serde.String, size)) }
func FuzzSessionKeySerde(f *testing.F) { fuzz(f, window.SessionKeySerde(serde.String)) }
