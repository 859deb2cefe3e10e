using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>The dtype names of safetensors that have an element type here.</summary>
internal static class SafetensorsTypes
{
    private static readonly (string Name, ElementType Type)[] s_types =
    [
        ("F32", ElementType.F32),
        ("F16", ElementType.F16),
        ("BF16", ElementType.BF16),
        ("F64", ElementType.F64),
        ("U8", ElementType.U8),
        ("BOOL", ElementType.U8),
        ("I8", ElementType.I8),
        ("I16", ElementType.I16),
        ("I32", ElementType.I32),
        ("I64", ElementType.I64),
    ];

    /// <summary>The names, for messages.</summary>
    public static string Supported => string.Join(", ", s_types.Select(entry => entry.Name));

    /// <summary>The element type of a dtype name; null when it is not supported.</summary>
    public static ElementType? Parse(string name)
    {
        foreach ((string known, ElementType type) in s_types)
        {
            if (known == name)
            {
                return type;
            }
        }

        return null;
    }

    /// <summary>The dtype name of an element type; null when the format has none.</summary>
    public static string? Name(ElementType type)
    {
        foreach ((string name, ElementType known) in s_types)
        {
            if (known == type)
            {
                return name;
            }
        }

        return null;
    }
}
