declare module "udx-native";
declare module "utp-native";
declare module "utp-punch";
