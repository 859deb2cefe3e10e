using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Every kind of edits that has a class here.</summary>
internal static class EditKinds
{
    /// <summary>The classes.</summary>
    public static IReadOnlyList<EditContract> All { get; } =
    [
        .. typeof(EditContract).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(EditContract))).OrderBy(type => type.Name).Select(type => (EditContract)Activator.CreateInstance(type)!),
    ];

    /// <summary>An adapter of each kind.</summary>
    public static AdapterEdit[][] For(PlainModel model) => [.. All.Select((kind, i) => kind.Edits(model, new EditValues(100 + i)).ToArray())];
}
