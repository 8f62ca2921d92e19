// Package sonic stands in for bytedance/sonic, whose assembly is tied to the
// releases of Go it knows: the one that the SDK's logger asks for does not
// compile with Go 1.26.
package sonic

import "encoding/json"

// Marshal is encoding/json's.
func Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal is encoding/json's.
func Unmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }
