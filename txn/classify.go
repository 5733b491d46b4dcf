package txn

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Class says what an error of the commit chain means for the protocol.
type Class uint8

const (
	Unclear        Class = iota // the outcome is unknown
	Stale                       // the group has a newer generation; nothing was committed
	Fenced                      // the producer id has a newer epoch: a rival, or its transaction timed out
	InstanceFenced              // another process has joined with this process's group instance id
	Refused                     // the broker will never take this record
	Denied                      // not allowed, or not possible on this cluster: trying again cannot help
)

// Classify returns the class of an error.
func Classify(err error) Class {
	for class, codes := range classes {
		for _, code := range codes {
			if errors.Is(err, code) {
				return Class(class)
			}
		}
	}
	return Unclear
}

var classes = [...][]error{
	Stale: {kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch},
	Fenced: {kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.UnknownProducerID,
		kerr.TransactionCoordinatorFenced},
	InstanceFenced: {kerr.FencedInstanceID},
	Refused:        {kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.InvalidRequiredAcks},
	Denied: {kerr.TransactionalIDAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TopicAuthorizationFailed,
		kerr.UnsupportedVersion, kerr.UnsupportedForMessageFormat, kerr.InvalidTransactionTimeout, kerr.OffsetMetadataTooLarge, kerr.SaslAuthenticationFailed},
}
