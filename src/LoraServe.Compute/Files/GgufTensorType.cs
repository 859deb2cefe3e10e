using System.Collections.Frozen;
using System.Collections.Immutable;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A tensor type of GGUF: its name, its block, and the element type here, or null where it cannot be computed with.</summary>
internal sealed record GgufTensorType(uint Id, string Name, int BlockElements, int BlockBytes, ElementType? ElementType = null)
{
    private static readonly ImmutableArray<GgufTensorType> s_supported =
    [
        .. from format in StoredFormats.All
           where format.GgufId.HasValue
           orderby format.GgufId
           select new GgufTensorType(format.GgufId!.Value, format.Type.ToString(), format.BlockElements, format.BlockBytes, format.Type),
    ];

    /// <summary>What else the format defines today (ggml.h, enum ggml_type), to say what a file has; numbers that are missing were removed from it.</summary>
    private static readonly ImmutableArray<GgufTensorType> s_known =
    [
        new(9, "Q8_1", 32, 36),
        new(15, "Q8_K", 256, 292),
        new(16, "IQ2_XXS", 256, 66),
        new(17, "IQ2_XS", 256, 74),
        new(18, "IQ3_XXS", 256, 98),
        new(19, "IQ1_S", 256, 50),
        new(21, "IQ3_S", 256, 110),
        new(22, "IQ2_S", 256, 82),
        new(29, "IQ1_M", 256, 56),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17),
    ];

    private static readonly FrozenDictionary<uint, GgufTensorType> s_byId = s_supported.Concat(s_known).ToFrozenDictionary(type => type.Id);

    /// <summary>The names of the types that can be computed with, for messages.</summary>
    public static string Supported => string.Join(", ", s_supported.Select(type => type.Name));

    /// <summary>The type with number <paramref name="id"/>, or null where the format has none.</summary>
    public static GgufTensorType? Find(uint id) => s_byId.GetValueOrDefault(id);
}
