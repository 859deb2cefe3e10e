using System.Text;
using Google.Protobuf.Reflection;

namespace LoraServe.Architecture.Tests;

/// <summary>What two sides of a connection must agree on: names of services and methods, numbers and types of fields.</summary>
internal static class WireText
{
    public static string Of(IEnumerable<FileDescriptor> files)
    {
        var text = new StringBuilder();
        foreach (FileDescriptor file in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            foreach (ServiceDescriptor service in file.Services)
            {
                text.Append(service.FullName).Append('\n');
                foreach (MethodDescriptor method in service.Methods)
                {
                    text.Append($"    {method.Name}({Stream(method.IsClientStreaming)}{method.InputType.FullName})")
                        .Append($" returns ({Stream(method.IsServerStreaming)}{method.OutputType.FullName})\n");
                }
            }

            foreach (EnumDescriptor values in file.EnumTypes)
            {
                Write(text, values);
            }

            foreach (MessageDescriptor message in file.MessageTypes)
            {
                Write(text, message);
            }
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, MessageDescriptor message)
    {
        text.Append(message.FullName).Append('\n');
        foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder())
        {
            string presence = field.IsMap ? "" : field.IsRepeated ? "repeated " : field.RealContainingOneof is { } oneof ? $"oneof {oneof.Name} "
                : field.HasPresence && field.FieldType != FieldType.Message ? "optional " : "";
            text.Append($"    {field.FieldNumber} {field.Name}: {presence}{TypeOf(field)}\n");
        }

        foreach (EnumDescriptor values in message.EnumTypes)
        {
            Write(text, values);
        }

        foreach (MessageDescriptor nested in message.NestedTypes.Where(nested => nested.GetOptions()?.MapEntry != true))
        {
            Write(text, nested);
        }
    }

    private static void Write(StringBuilder text, EnumDescriptor values)
    {
        text.Append(values.FullName).Append('\n');
        foreach (EnumValueDescriptor value in values.Values)
        {
            text.Append($"    {value.Number} {value.Name}\n");
        }
    }

    private static string TypeOf(FieldDescriptor field) => field switch
    {
        { IsMap: true } => $"map<{TypeOf(field.MessageType.FindFieldByNumber(1))}, {TypeOf(field.MessageType.FindFieldByNumber(2))}>",
        { FieldType: FieldType.Message } => field.MessageType.FullName,
        { FieldType: FieldType.Enum } => field.EnumType.FullName,
        _ => field.FieldType.ToString().ToLowerInvariant(),
    };

    private static string Stream(bool isStreaming) => isStreaming ? "stream " : "";
}
