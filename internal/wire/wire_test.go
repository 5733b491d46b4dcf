package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vectors are bytes that Kafka Streams' own classes made.
type vectors struct {
	Change []struct {
		New, Old *string
		Bytes    string
	}
	Murmur []struct{ Data, Bytes string } `json:"murmur3_128"`
	Subs   []struct {
		Instruction      byte
		Left             *string
		PrimaryKey       string
		PrimaryPartition int32
		Bytes            string
	} `json:"foreignSubscription"`
	Responses []struct {
		Left, Right *string
		Bytes       string
	} `json:"foreignResponse"`
}

func read(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHashesAreThoseOfKafkaStreams(t *testing.T) {
	v := read(t).Murmur
	if len(v) < 50 {
		t.Fatalf("only %d vectors", len(v))
	}
	for _, v := range v {
		if h := HashOf(unhex(t, v.Data)); !bytes.Equal(h[:], unhex(t, v.Bytes)) {
			t.Errorf("hash of %s is %x, want %s", v.Data, h, v.Bytes)
		}
	}
}

func text(s *string) ([]byte, bool) {
	if s == nil {
		return nil, false
	}
	return []byte(*s), true
}

func TestChangesAreThoseOfKafkaStreams(t *testing.T) {
	for _, v := range read(t).Change {
		var c Change
		c.New, c.HasNew = text(v.New)
		c.Old, c.HasOld = text(v.Old)
		b := AppendChange([]byte("before"), c)[len("before"):]
		if !bytes.Equal(b, unhex(t, v.Bytes)) {
			t.Errorf("%q %q is %x, want %s", c.Old, c.New, b, v.Bytes)
		}
		got, err := DecodeChange(b)
		if err != nil || got.HasNew != c.HasNew || got.HasOld != c.HasOld || !bytes.Equal(got.New, c.New) || !bytes.Equal(got.Old, c.Old) {
			t.Errorf("%s is read as %+v, %v", v.Bytes, got, err)
		}
	}
}

func TestSubscriptionsAreThoseOfKafkaStreams(t *testing.T) {
	for _, v := range read(t).Subs {
		s := Subscription{Instruction: Instruction(v.Instruction), Primary: []byte(v.PrimaryKey), Partition: v.PrimaryPartition}
		if left, ok := text(v.Left); ok {
			s.Hash, s.HasHash = HashOf(left), true
		}
		b := AppendSubscription(nil, s)
		if !bytes.Equal(b, unhex(t, v.Bytes)) {
			t.Errorf("%+v is %x, want %s", s, b, v.Bytes)
		}
		got, err := DecodeSubscription(b)
		if err != nil || !bytes.Equal(got.Primary, s.Primary) || got.Partition != s.Partition || got.Hash != s.Hash || got.HasHash != s.HasHash || got.Instruction != s.Instruction {
			t.Errorf("%s is read as %+v, %v", v.Bytes, got, err)
		}
	}
}

func TestResponsesAreThoseOfKafkaStreams(t *testing.T) {
	for _, v := range read(t).Responses {
		var hash Hash
		left, has := text(v.Left)
		if has {
			hash = HashOf(left)
		}
		right, _ := text(v.Right)
		b := append(AppendResponse(nil, hash, has), right...)
		if !bytes.Equal(b, unhex(t, v.Bytes)) {
			t.Errorf("%q %q is %x, want %s", left, right, b, v.Bytes)
		}
		got, err := DecodeResponse(b)
		if err != nil || got.Hash != hash || got.HasHash != has || !bytes.Equal(got.Row, right) {
			t.Errorf("%s is read as %+v, %v", v.Bytes, got, err)
		}
	}
}

// TestChangesOfNewerWritersAreRead: flags 3 to 5 have one more byte, which says whether the row is the latest.
func TestChangesOfNewerWritersAreRead(t *testing.T) {
	for _, c := range []struct {
		b    string
		want Change
	}{
		{"old\x01\x03", Change{Old: []byte("old"), HasOld: true}},
		{"new\x01\x04", Change{New: []byte("new"), HasNew: true}},
		{"\x06newold\x00\x05", Change{Old: []byte("old"), New: []byte("new"), HasOld: true, HasNew: true}},
	} {
		got, err := DecodeChange([]byte(c.b))
		if err != nil || !bytes.Equal(got.Old, c.want.Old) || !bytes.Equal(got.New, c.want.New) || got.HasOld != c.want.HasOld || got.HasNew != c.want.HasNew {
			t.Errorf("%q is read as %+v, %v", c.b, got, err)
		}
	}
}

func TestASubscriptionOfVersion0HasNoPartition(t *testing.T) {
	s, err := DecodeSubscription([]byte("\x80\x02k1"))
	if err != nil || s.Partition != -1 || string(s.Primary) != "k1" || s.HasHash || s.Instruction != AnswerAlways {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestDamagedBytesAreRefused(t *testing.T) {
	for _, b := range []string{"", "\x05", "\x06", "x\x02", "\x06ab\x02", "\x05ab\x02", "\x02", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"} {
		if c, err := DecodeChange([]byte(b)); err == nil {
			t.Errorf("change %q is read as %+v", b, c)
		}
	}
	for _, b := range []string{"", "\x01", "\x01\x00short", "\x81\x00abc", "\x82\x00k1\x00\x00\x00\x00", "\x81\x04k1\x00\x00\x00\x00"} {
		if s, err := DecodeSubscription([]byte(b)); err == nil {
			t.Errorf("subscription %q is read as %+v", b, s)
		}
	}
	for _, b := range []string{"", "\x00short", "\x01", "\x81"} {
		if r, err := DecodeResponse([]byte(b)); err == nil {
			t.Errorf("response %q is read as %+v", b, r)
		}
	}
	for _, b := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x02a", "\xff\xff\xff\xff"} {
		if k, err := Primary([]byte(b)); err == nil {
			t.Errorf("combined key %q has the primary key %q", b, k)
		}
	}
}

func TestCombinedKeysOfAForeignKeyHaveItsPrefixAndNoOther(t *testing.T) {
	a, aa := AppendForeign(nil, []byte("a")), AppendForeign(nil, []byte("aa"))
	k := AppendCombined(nil, []byte("a"), []byte("a1"))
	if !bytes.HasPrefix(k, a) || bytes.HasPrefix(k, aa) {
		t.Errorf("%x begins with neither %x alone", k, a)
	}
	if p, err := Primary(k); err != nil || string(p) != "a1" {
		t.Errorf("primary key %q, %v", p, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "new\x01", "old\x00", "\x06newold\x02", "\x01\x000123456789abcdefk1\x00\x00\x00\x00", "\x80right", "\x00\x00\x00\x01ak"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := DecodeChange(b); err == nil {
			again, err := DecodeChange(AppendChange(nil, c))
			if err != nil || !bytes.Equal(again.New, c.New) || !bytes.Equal(again.Old, c.Old) || again.HasNew != c.HasNew || again.HasOld != c.HasOld {
				t.Errorf("change %+v came back as %+v, %v", c, again, err)
			}
		}
		if s, err := DecodeSubscription(b); err == nil && s.Partition >= 0 && !bytes.Equal(AppendSubscription(nil, s), b) && b[0]&^noHash == subscriptionVersion {
			t.Errorf("subscription %x came back as %x", b, AppendSubscription(nil, s))
		}
		if r, err := DecodeResponse(b); err == nil && !bytes.Equal(append(AppendResponse(nil, r.Hash, r.HasHash), r.Row...), b) {
			t.Errorf("response %x came back otherwise", b)
		}
		if p, err := Primary(b); err == nil && !bytes.HasSuffix(b, p) {
			t.Errorf("primary key %x of %x", p, b)
		}
	})
}
