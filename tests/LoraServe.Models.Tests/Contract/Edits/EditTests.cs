using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Tests of a kind of edits, whose name theirs begins with.</summary>
public abstract class EditTests
{
    /// <summary>An adapter of the kind.</summary>
    internal abstract IEnumerable<AdapterEdit> Edits(PlainModel model, EditValues values);
}
