using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace LoraServe.Server.Options;

/// <summary>Compares a configuration with the options that it is about to fill, and names what they do not have or cannot hold.</summary>
internal static class SettingsCheck
{
    /// <summary>What is wrong, each a sentence without a full stop.</summary>
    /// <param name="section">The configuration.</param>
    /// <param name="type">The options' type.</param>
    public static IEnumerable<string> Mistakes(IConfigurationSection section, Type type)
    {
        bool mayBeEmpty = !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        IConfigurationSection[] parts = [.. section.GetChildren()];
        if (TypeDescriptor.GetConverter(type).CanConvertFrom(typeof(string)))
        {
            return parts.Length > 0 ? [$"{section.Path} is an object; expected {Expected(type)}"]
                : section.Value is { } value && !(value.Length == 0 && mayBeEmpty) && !Converts(value, type) ? [$"{section.Path} is '{value}'; expected {Expected(type)}"]
                : [];
        }

        if (section.Value is { Length: > 0 } text)
        {
            return [$"{section.Path} is '{text}'; expected {(typeof(IEnumerable).IsAssignableFrom(type) ? "a list or an object" : "an object")}"];
        }

        // Of lists and dictionaries every element is the last type argument.
        if (typeof(IEnumerable).IsAssignableFrom(type))
        {
            return parts.SelectMany(part => Mistakes(part, type.GetGenericArguments()[^1]));
        }

        // A list that cannot be set can be added to.
        PropertyInfo[] settings =
            [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null || typeof(IEnumerable).IsAssignableFrom(property.PropertyType))];
        return parts.SelectMany(part => settings.FirstOrDefault(property => string.Equals(property.Name, part.Key, StringComparison.OrdinalIgnoreCase)) is { } setting
            ? Mistakes(part, setting.PropertyType)
            : [$"there is no setting {part.Path}; expected {string.Join(", ", settings.Select(property => property.Name))}"]);
    }

    private static bool Converts(string value, Type type)
    {
        try
        {
            TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value);
            return true;
        }
        catch (Exception refusal) when (refusal is FormatException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Expected(Type type) => type switch
    {
        { IsEnum: true } => string.Join(", ", Enum.GetNames(type)),
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) || type == typeof(ulong) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when type == typeof(TimeSpan) => "a time such as 00:00:30",
        _ when type == typeof(Uri) => "a URL",
        _ => "a text",
    };
}
