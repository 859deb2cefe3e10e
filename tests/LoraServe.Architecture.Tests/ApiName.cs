using System.Globalization;
using System.Reflection;

namespace LoraServe.Architecture.Tests;

/// <summary>Types and parameters as C# writes them, with nullability, without the namespaces of what everybody knows.</summary>
internal static class ApiName
{
    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(nint)] = "nint",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
        [typeof(void)] = "void",
    };

    public static string Of(Type type)
    {
        if (type.IsByRef || type.IsPointer || type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}{(type.IsArray ? "[]" : type.IsPointer ? "*" : "")}";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Of(value)}?";
        }

        return s_keywords.TryGetValue(type, out string? keyword) ? keyword
            : type.IsGenericParameter ? type.Name
            : $"{Qualified(type)}{Arguments(type.GetGenericArguments().Select(Of))}";
    }

    public static string Of(MethodInfo method) =>
        $"{method.Name}{(method.IsGenericMethod ? Arguments(method.GetGenericArguments().Select(Of)) : "")}({Of(method.GetParameters())}): {Of(new NullabilityInfoContext().Create(method.ReturnParameter))}";

    public static string Of(PropertyInfo property) => Of(new NullabilityInfoContext().Create(property));

    public static string Of(FieldInfo field) => Of(new NullabilityInfoContext().Create(field));

    public static string Of(IEnumerable<ParameterInfo> parameters) => string.Join(", ", parameters.Select(Of));

    private static string Of(ParameterInfo parameter)
    {
        string kind = parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref "
            : parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(System.Runtime.CompilerServices.ParamCollectionAttribute)) ? "params " : "";
        string value = parameter.HasDefaultValue ? $" = {Spell(parameter.RawDefaultValue)}" : "";
        return $"{kind}{Of(new NullabilityInfoContext().Create(parameter))} {parameter.Name}{value}";
    }

    /// <summary>A type with question marks where it may be null, its arguments' included.</summary>
    private static string Of(NullabilityInfo nullability)
    {
        Type type = nullability.Type;
        string mark = !type.IsValueType && !type.IsGenericParameter && nullability.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsByRef || type.IsPointer)
        {
            return Of(type) + mark;
        }

        if (nullability.ElementType is { } element)
        {
            return $"{Of(element)}[]{mark}";
        }

        return nullability.GenericTypeArguments.Length > 0 && Nullable.GetUnderlyingType(type) is null
            ? $"{Qualified(type)}{Arguments(nullability.GenericTypeArguments.Select(Of))}{mark}"
            : Of(type) + mark;
    }

    private static string Spell(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Arguments(IEnumerable<string> arguments)
    {
        string list = string.Join(", ", arguments);
        return list.Length > 0 ? $"<{list}>" : "";
    }

    private static string Qualified(Type type)
    {
        string name = type.Name.Split('`')[0];
        if (type.DeclaringType is { } outer)
        {
            return $"{Qualified(outer)}.{name}";
        }

        bool isOurs = type.Namespace is { } space
            && (space.StartsWith("LoraServe", StringComparison.Ordinal) || space.StartsWith("Grpc", StringComparison.Ordinal) || space.StartsWith("Google", StringComparison.Ordinal));
        return isOurs ? $"{type.Namespace}.{name}" : name;
    }
}
