package main

import (
	"slices"
	"strings"
	"testing"
)

func TestWordsAreLettersAndDecimalDigitsLowerCased(t *testing.T) {
	got := words("It's ÉCOLE_2, Straße; ΑΒΓ世界 x² ٣ — a\xffb")
	want := []string{"it", "s", "école", "2", "straße", "αβγ世界", "x", "٣", "a", "b"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// However a text is cut into records, its words are the same: a long line is cut between words, never inside a word or a rune.
func TestLongLinesAreCutBetweenWords(t *testing.T) {
	for _, word := range []string{"word", "ÉCOLE", "世界", "x1"} {
		for pad := range 7 {
			text := strings.Repeat("p", pad) + " " + strings.Repeat(word+" ", 3*longest/len(word))
			var got []string
			n := 0
			err := lines(strings.NewReader(text), func(line string) error {
				n++
				if len(line) > 2*longest {
					t.Errorf("a record of %d bytes", len(line))
				}
				got = append(got, words(line)...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if n < 3 {
				t.Errorf("%d records, want several", n)
			}
			if want := words(text); !slices.Equal(got, want) {
				t.Fatalf("%q, pad %d: %d words, want %d", word, pad, len(got), len(want))
			}
		}
	}
}

func TestLinesAreSplitAtLineFeeds(t *testing.T) {
	var got []string
	err := lines(strings.NewReader("a\n\nb\r\nc"), func(line string) error { got = append(got, line); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b\r", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
