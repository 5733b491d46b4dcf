package memstore_test

import (
	"testing"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/storetest"
)

// memory is a place that keeps nothing.
type memory struct{}

func (memory) Open(stores ...string) store.DB { return memstore.Open(stores...) }
func (memory) Lasting() bool                  { return false }
func (memory) Crash()                         {}

func TestMemstoreKeepsThePromisesOfAStore(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Disk { return memory{} })
}
