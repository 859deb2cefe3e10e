using System.Numerics;

namespace LoraServe.Templates.Values;

/// <summary>What Python calls the type of a value; error messages name it.</summary>
internal static class TypeName
{
    public static string Of(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        IObject named => named.TypeName,
        _ => "function",
    };

    /// <summary>How the message of an undefined attribute names the object.</summary>
    public static string OfObject(object? value) => value is null ? "None" : $"{Of(value)} object";
}
