using System.Text.Json.Nodes;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>Changes the configuration of a saved adapter to what is wanted of it from now on.</summary>
/// <param name="saved">The saved adapter's; is changed.</param>
/// <param name="wanted">That of a new adapter with the same settings.</param>
/// <param name="settings">The settings.</param>
internal delegate void Continuation(JsonObject saved, JsonObject wanted, MethodSettings settings);
