package history

import "junctor/pkg/document"

// Detach removes from a document of Database what is about the feed of one store, and would mislead a Log on another one:
// the position in the checkpoint.
func Detach(doc document.Document) {
	if doc.ID() == checkpointID {
		delete(doc, fieldSince)
		delete(doc, fieldEpoch)
	}
}
