package testkafka

import (
	"crypto/rand"
	"strings"
	"testing"
)

// Name returns a name no other test or run has used, that Kafka accepts for topics, groups, and application ids with
// suffixes of their own: the test's name and some random letters, at most 100 bytes.
func Name(t testing.TB) string {
	const tail = 8
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, t.Name())
	return clean[:min(len(clean), 100-tail-1)] + "-" + strings.ToLower(rand.Text()[:tail])
}
