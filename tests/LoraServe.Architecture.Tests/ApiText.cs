using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf;

namespace LoraServe.Architecture.Tests;

/// <summary>Everything that another project can use of an assembly, one line a member, in a fixed order.</summary>
internal static class ApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>What the compiler adds to every record.</summary>
    private static readonly HashSet<string> s_ofRecords = ["<Clone>$", "Deconstruct", "EqualityContract", "Equals", "GetHashCode", "PrintMembers", "ToString", "op_Equality", "op_Inequality"];

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (Type type in assembly.GetExportedTypes().Where(type => !IsGenerated(type)).OrderBy(ApiName.Of, StringComparer.Ordinal))
        {
            text.Append(Header(type)).Append('\n');
            foreach (string member in Members(type))
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>protoc's messages and services; the wire contract says what they are.</summary>
    private static bool IsGenerated(Type type) =>
        typeof(IMessage).IsAssignableFrom(type)
        || (type.DeclaringType is { } outer && IsGenerated(outer));

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is not null;

    private static string Header(Type type)
    {
        string kind = type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            _ when typeof(Delegate).IsAssignableFrom(type) => "delegate",
            { IsValueType: true } => $"{(type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "")}{(type.IsByRefLike ? "ref " : "")}{(IsRecord(type) ? "record " : "")}struct",
            _ => $"{(type.IsAbstract ? type.IsSealed ? "static " : "abstract " : type.IsSealed ? "sealed " : "")}{(IsRecord(type) ? "record" : "class")}",
        };
        IEnumerable<Type> parents = kind is "enum" or "delegate" ? [] : Parents(type);
        string list = string.Join(", ", parents.Select(ApiName.Of).Order(StringComparer.Ordinal));
        return $"{kind} {ApiName.Of(type)}{(list.Length > 0 ? $" : {list}" : "")}";
    }

    private static IEnumerable<Type> Parents(Type type)
    {
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
        {
            yield return parent;
        }

        foreach (Type contract in type.GetInterfaces().Where(contract => contract.IsVisible && !contract.IsAssignableFrom(type.BaseType)))
        {
            if (!(IsRecord(type) && contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IEquatable<>)))
            {
                yield return contract;
            }
        }
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)} {name}");
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            return [ApiName.Of(type.GetMethod("Invoke")!)];
        }

        bool isRecord = IsRecord(type);
        return type.GetMembers(Declared)
            .Where(member => !(isRecord && s_ofRecords.Contains(member.Name)))
            .Select(Line).OfType<string>().Distinct().Order(StringComparer.Ordinal);
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo { IsStatic: false } constructor when IsVisible(constructor) && !IsCopy(constructor) => $"{Access(constructor)}new({ApiName.Of(constructor.GetParameters())})",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) => $"{Access(method)}{ApiName.Of(method)}",
        MethodInfo method when IsVisible(method) && method.Name.StartsWith("op_", StringComparison.Ordinal) => $"{Access(method)}{ApiName.Of(method)}",
        PropertyInfo property when property.GetAccessors(nonPublic: true).Any(IsVisible) => Line(property),
        FieldInfo field when field.IsPublic || field.IsFamily => Line(field),
        EventInfo { AddMethod: { } add } happening when IsVisible(add) => $"event {ApiName.Of(happening.EventHandlerType!)} {happening.Name}",
        _ => null,
    };

    private static string Line(PropertyInfo property)
    {
        MethodInfo accessor = property.GetAccessors(nonPublic: true).First(IsVisible);
        bool isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
        string set = property.SetMethod is { } setter && IsVisible(setter) ? isInit ? " init;" : " set;" : "";
        string get = property.GetMethod is { } getter && IsVisible(getter) ? " get;" : "";
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        string name = property.GetIndexParameters() is { Length: > 0 } index ? $"this[{ApiName.Of(index)}]" : property.Name;
        return $"{Access(accessor)}{required}{name}: {ApiName.Of(property)} {{{get}{set} }}";
    }

    private static string Line(FieldInfo field)
    {
        string kind = field.IsLiteral ? "const " : field.IsStatic ? "static " : "";

        // Names are a promise to those who write queries; numbers are tuned.
        string value = field.IsLiteral && field.GetRawConstantValue() is string text ? $" = \"{text}\"" : "";
        return $"{kind}{field.Name}: {ApiName.Of(field)}{value}";
    }

    private static bool IsVisible(MethodBase method) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && !method.Name.Contains('<', StringComparison.Ordinal);

    /// <summary>The constructor by which <c>with</c> copies a record.</summary>
    private static bool IsCopy(ConstructorInfo constructor) =>
        constructor.GetParameters() is [var only] && only.ParameterType == constructor.DeclaringType && IsRecord(constructor.DeclaringType);

    private static string Access(MethodBase method) =>
        $"{(method.IsPublic ? "" : "protected ")}{(method.IsStatic ? "static " : "")}{(method.IsAbstract && !method.DeclaringType!.IsInterface ? "abstract " : "")}";
}
