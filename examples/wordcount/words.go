package main

import (
	"strings"
	"unicode"
)

// words returns the words of a line: maximal runs of Unicode letters and decimal digits, lower-cased letter by letter.
func words(line string) []string {
	list := strings.FieldsFunc(line, func(r rune) bool { return !isWord(r) })
	for i, w := range list {
		list[i] = strings.Map(unicode.ToLower, w)
	}
	return list
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
