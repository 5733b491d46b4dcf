package assign

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

var golden = flag.Bool("golden", false, "write the golden files of the formats anew")

// sample has every field set.
func sample() Member {
	return Member{
		Process:  "0c8c1c6e-6f2b-4b57-9c44-0e8c5f1f0a01",
		Endpoint: "host-1:8080",
		Counter:  300,
		Subs: []Sub{
			{Fingerprint: "b2", Topics: []string{"app-by-word-repartition"}, Changelogs: []string{"app-counts-changelog", "app-totals-changelog"}, Stateful: true},
			{Fingerprint: "a1", Topics: []string{"more", "lines"}},
		},
		Disk: []Stored{{"app-totals-changelog", 0, 7}, {"app-counts-changelog", 3, 1 << 40}, {"app-counts-changelog", 0, 0}},
	}
}

func checkGolden(t *testing.T, file string, got []byte) []byte {
	t.Helper()
	if *golden {
		if err := os.WriteFile(file, []byte(hex.Dump(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if hex.Dump(got) != string(text) {
		t.Errorf("written\n%s\nwant, as in %s\n%s", hex.Dump(got), file, text)
	}
	return got
}

func TestFormatOfAMemberStaysAsItIs(t *testing.T) {
	m := sample()
	src := checkGolden(t, "testdata/member-1.hex", AppendMember(nil, m))
	got, err := DecodeMember(src)
	if err != nil || !reflect.DeepEqual(got, m.normal()) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, m.normal())
	}
}

func TestFormatOfAnEchoStaysAsItIs(t *testing.T) {
	src := checkGolden(t, "testdata/echo-1.hex", AppendEcho(nil, sample().Echo()))
	got, err := DecodeEcho(src)
	if err != nil || !reflect.DeepEqual(got, Echo{[]string{"a1", "b2"}}) {
		t.Errorf("%v, %v", got, err)
	}
}

// The coordinator compares the bytes of a subscription: they must not differ without need, and must with the counter.
func TestEqualMembersAreWrittenAlike(t *testing.T) {
	m := sample()
	want := AppendMember([]byte("before"), m)
	if !bytes.HasPrefix(want, []byte("before")) {
		t.Error("what was there before is gone")
	}
	m.Subs[0], m.Subs[1] = m.Subs[1], m.Subs[0]
	m.Subs[0].Topics = []string{"lines", "more", "lines"}
	m.Disk[0], m.Disk[2] = m.Disk[2], m.Disk[0]
	m.Disk = append(m.Disk, Stored{"app-totals-changelog", 0, 6}) // of two claims the greater
	if got := AppendMember([]byte("before"), m); !bytes.Equal(got, want) {
		t.Errorf("\n%x\n%x", got, want)
	}
	m.Counter++
	if got := AppendMember([]byte("before"), m); bytes.Equal(got, want) {
		t.Error("the counter does not change the bytes")
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	src := AppendMember(nil, sample())
	src[0] = 7
	_, err := DecodeMember(src)
	var format *FormatError
	if !errors.As(err, &format) || *format != (FormatError{"user data of a member", 7, 1}) {
		t.Errorf("error %#v", err)
	}
	if want := "assign: user data of a member has format 7, this version reads up to 1: deploy the newer version of the application here too"; err.Error() != want {
		t.Errorf("\n%v\n%s", err, want)
	}
	if _, err := DecodeEcho([]byte{2}); !errors.As(err, &format) || *format != (FormatError{"user data of an assignment", 2, 1}) {
		t.Errorf("error %v", err)
	}
	if _, err := DecodeMember([]byte{0}); !errors.As(err, &format) {
		t.Errorf("format 0: %v", err)
	}
}

func TestDamagedUserDataAreRefused(t *testing.T) {
	whole := AppendMember(nil, sample())
	for n := range whole {
		if _, err := DecodeMember(whole[:n]); err == nil || !strings.HasPrefix(err.Error(), "assign: user data of a member ") {
			t.Errorf("cut after %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, c := range []struct {
		name, want string
		src        []byte
	}{
		{"empty", "assign: user data of a member is empty: another kind of client is a member of this consumer group", nil},
		{"left over", "assign: user data of a member is damaged at byte 6 of 7: 1 bytes are left over", []byte{1, 0, 0, 0, 0, 0, 9}},
		{"long text", "assign: user data of a member is damaged at byte 2 of 4: 5 elements in 2 bytes", []byte{1, 5, 'a', 'b'}},
		{"counter", "assign: user data of a member is damaged at byte 3 of 9: a number is greater than 4294967295", []byte{1, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0}},
		{"partition", "assign: user data of a member is damaged at byte 8 of 14: a number is greater than 2147483647", []byte{1, 0, 0, 0, 0, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}},
		{"no end", "assign: user data of a member is damaged at byte 3 of 14: a number is greater than 4294967295", append([]byte{1, 0, 0}, bytes.Repeat([]byte{0xff}, 11)...)},
		{"many", "assign: user data of a member is damaged at byte 9 of 10: 2147483647 elements in 1 bytes", []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07, 0}},
	} {
		if _, err := DecodeMember(c.src); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
	if _, err := DecodeEcho([]byte{1, 0, 0}); err == nil {
		t.Error("an echo with bytes left over was read")
	}
}

func TestNegativeOffsetsAreNotWritten(t *testing.T) {
	for _, d := range []Stored{{"c", -1, 0}, {"c", 0, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v was written", d)
				}
			}()
			AppendMember(nil, Member{Disk: []Stored{d}})
		}()
	}
}

func FuzzDecodeMember(f *testing.F) {
	f.Add(AppendMember(nil, sample()))
	f.Add([]byte{1, 0, 0, 0, 0, 0})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := DecodeMember(src)
		if err != nil {
			return
		}
		again := AppendMember(nil, m)
		if len(again) > len(src) {
			t.Fatalf("%x became longer: %x", src, again)
		}
		if second, err := DecodeMember(again); err != nil || !reflect.DeepEqual(m, second) {
			t.Fatalf("%+v, then %+v, %v", m, second, err)
		}
	})
}

func FuzzDecodeEcho(f *testing.F) {
	f.Add(AppendEcho(nil, sample().Echo()))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		e, err := DecodeEcho(src)
		if err != nil {
			return
		}
		if second, err := DecodeEcho(AppendEcho(nil, e)); err != nil || !reflect.DeepEqual(e, second) {
			t.Fatalf("%+v, then %+v, %v", e, second, err)
		}
	})
}
