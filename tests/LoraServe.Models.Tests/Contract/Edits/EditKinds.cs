using LoraServe.Adapters.Edits;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

/// <summary>Every kind of edits that has a class here.</summary>
internal static class EditKinds
{
    /// <summary>The classes.</summary>
    public static IReadOnlyList<EditTests> All { get; } =
    [
        .. typeof(EditTests).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(EditTests)) && !type.IsAbstract).OrderBy(type => type.Name)
            .Select(type => (EditTests)Activator.CreateInstance(type)!),
    ];

    /// <summary>An adapter of each kind of which a stack can have several, and which can be trained.</summary>
    public static AdapterEdit[][] For(PlainModel model) => [.. All.Where(kind => kind is EditContract).Select((kind, i) => kind.Edits(model, new EditValues(100 + i)).ToArray())];
}
