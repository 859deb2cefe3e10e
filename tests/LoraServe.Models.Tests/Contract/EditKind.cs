using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract;

/// <summary>The edits of an adapter of some kind, for a model.</summary>
internal delegate IEnumerable<AdapterEdit> EditKind(PlainModel model, EditValues values);
